"""Our page in the WebUI's Settings: few options, read whenever they are used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modules import paths_internal, shared

SECTION = ("textual_inversion_tab", "Textual Inversion")
LOG_DIRECTORY, FILE_FORMAT, SECONDS, FOLDERS = "ti_log_directory", "ti_file_format", "ti_seconds", "ti_folders"
_FORMATS = ("safetensors", "pt")


def register(radio: Any, slider: Any) -> None:
    """Add the page, given Gradio's two kinds of inputs; to be called when the WebUI builds its settings."""
    options = {
        LOG_DIRECTORY: shared.OptionInfo(
            "textual_inversion", "Log directory that new trainings begin with", component_args=shared.hide_dirs
        ).info("previews, copies and the loss of each training go there"),
        FILE_FORMAT: shared.OptionInfo(
            "safetensors", "File format that new embeddings begin with", radio, {"choices": list(_FORMATS)}
        ).info("safetensors keeps the recipe in the file"),
        SECONDS: shared.OptionInfo(
            2,
            "Seconds between two looks of the page at a running training",
            slider,
            {"minimum": 1, "maximum": 30, "step": 1},
        ),
        FOLDERS: shared.OptionInfo(
            "",
            "More folders with pictures for a WebUI that runs with --hide-ui-dir-config",
            component_args=shared.hide_dirs,
        ).info("several are divided by commas; this can be changed in config.json only, while that option is on"),
    }
    for key, option in options.items():
        option.section = SECTION
        shared.opts.add_option(key, option.needs_reload_ui())


def log_directory() -> str:
    return str(getattr(shared.opts, LOG_DIRECTORY, "") or "textual_inversion")


def file_format() -> str:
    chosen = getattr(shared.opts, FILE_FORMAT, _FORMATS[0])
    return chosen if chosen in _FORMATS else _FORMATS[0]


def seconds() -> float:
    return float(getattr(shared.opts, SECONDS, 2) or 2)


def allowed_folders() -> Sequence[Path] | None:
    """With ``--hide-ui-dir-config`` the folders that a page may name; else None, for any.

    The WebUI's option is there so that who has the page does not have the machine's files.
    """
    if not shared.cmd_opts.hide_ui_dir_config:
        return None
    listed = [name.strip() for name in str(getattr(shared.opts, FOLDERS, "")).split(",") if name.strip()]
    return [Path(name) for name in (log_directory(), str(Path(paths_internal.data_path) / "datasets"), *listed)]
