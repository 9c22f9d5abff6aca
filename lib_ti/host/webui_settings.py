"""What the user chose on our page of the WebUI's Settings, which scripts/textual_inversion.py declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modules import paths_internal, shared

from lib_ti.paths import as_path, path_text


def defaults() -> Mapping[str, Any]:
    """What the tab's fields begin with."""
    return {
        "log_directory": shared.opts.ti_log_directory,
        "file_format": shared.opts.ti_file_format,
        "seconds": shared.opts.ti_seconds,
    }


def allowed_folders() -> Sequence[Path] | None:
    """With ``--hide-ui-dir-config`` the folders that a page may name; else None, for any.

    The WebUI's option is there so that who has the page does not have the machine's files.
    """
    if not shared.cmd_opts.hide_ui_dir_config:
        return None
    listed = [as_path(name) for name in shared.opts.ti_folders.split(",") if path_text(name)]
    return [
        as_path(shared.opts.ti_log_directory, "Log directory"),
        Path(paths_internal.data_path) / "datasets",
        *listed,
    ]
