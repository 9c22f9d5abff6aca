"""The host of a command: its model, its folders, and the models of its tools."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.cli.arguments import read_settings_file
from lib_ti.errors import BadInput
from lib_ti.lazy import lazy
from lib_ti.paths import as_path
from lib_ti.pocket import CHECKPOINT
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.host.embedded import host, models, tools
else:
    host = lazy("lib_ti.host.embedded.host")
    models = lazy("lib_ti.host.embedded.models")
    tools = lazy("lib_ti.host.embedded.tools")

_NO_VAE = "none"
_CLIP_SKIPS = range(1, 13)
_OPTIONS = {
    "checkpoint": (
        "FILE",
        "a checkpoint of SD 1, SD 2 or SDXL, .safetensors or .ckpt (default: the included pocket model)",
    ),
    "embeddings-dir": ("DIR", "folder of the embeddings (default: embeddings)"),
    "templates-dir": (
        "DIR",
        "your own prompt templates (default: textual_inversion_templates; the included ones are always available)",
    ),
    "captioner-dir": ("DIR", "folder of the captioner BLIP (default: models/BLIP)"),
    "captioners-dir": ("DIR", "a folder with a sub-folder for each further captioner (default: models/captioners)"),
    "upscalers-dir": ("DIR", "folder of upscalers, .pth or .safetensors (default: models/ESRGAN)"),
    "prediction": (
        "auto|eps|v",
        "what the checkpoint's UNet predicts, where it does not say so itself (default: auto)",
    ),
    "vae": ("FILE|none", "a VAE file to use instead of the checkpoint's own VAE (default: none)"),
    "clip-skip": ("N", "as the WebUI's setting of that name, which the embedding is trained for: 1 to 12 (default: 1)"),
    "device": ("DEVICE", "auto, cpu, cuda or cuda:1 (default: auto)"),
}
MODEL = ("checkpoint", "embeddings-dir", "templates-dir", "prediction", "vae", "clip-skip", "device")
"""The options of a command that needs the model."""


def add_host(parser: argparse.ArgumentParser, *options: str) -> None:
    """Add options of the host by their names, without dashes; those of :data:`MODEL` by default."""
    group = parser.add_argument_group("model and folders")
    for name in options or MODEL:
        metavar, text = _OPTIONS[name]
        group.add_argument(f"--{name}", metavar=metavar, help=text)


def embedded_host(arguments: argparse.Namespace, *, allowed_folders: Sequence[Path] | None = None) -> host.EmbeddedHost:
    """Return the embedded host; options that are not given come from the settings file of a run, then the defaults.

    Raises
    ------
    BadInput
        When a value cannot be used.
    """
    earlier: dict[str, Any] = {}
    if getattr(arguments, "config", None):
        earlier = read_settings_file(as_path(arguments.config, "--config")).get("host", {})
        if not isinstance(earlier, dict):
            raise BadInput(f'"host" in {arguments.config} is {quoted(earlier)}; remove it, or give it as an object.')

    def given(name: str, default: Any) -> Any:
        return str(getattr(arguments, name, None) or earlier.get(name) or default)

    def path(name: str, default: str | Path) -> Path:
        return as_path(given(name, default), f"--{name.replace('_', '-')}")

    def vae() -> Path | None:
        return None if given("vae", _NO_VAE).strip().casefold() == _NO_VAE else path("vae", "")

    return host.EmbeddedHost(
        path("checkpoint", CHECKPOINT),
        embeddings_folder=path("embeddings_dir", "embeddings"),
        template_folders=(path("templates_dir", "textual_inversion_templates"),),
        allowed_folders=allowed_folders,
        device=given("device", "auto"),
        prediction=given("prediction", "auto"),
        variant=models.Variant(vae(), _clip_skip(given("clip_skip", 1))),
        tool_folders=tools.ToolFolders(
            blip=path("captioner_dir", "models/BLIP"),
            captioners=path("captioners_dir", "models/captioners"),
            upscalers=path("upscalers_dir", "models/ESRGAN"),
        ),
    )


def _clip_skip(text: str) -> int:
    if not (text.strip().isdecimal() and int(text) in _CLIP_SKIPS):
        raise BadInput(f"Clip skip is {quoted(text)}; use {_CLIP_SKIPS[0]} to {_CLIP_SKIPS[-1]}.")
    return int(text)
