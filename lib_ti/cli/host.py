"""The host of a command: which model, which folders, and where the models of the tools are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.cli.arguments import read_settings_file
from lib_ti.errors import BadInput
from lib_ti.paths import as_path
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.host.embedded.host import EmbeddedHost


_OPTIONS = {
    "checkpoint": (
        "FILE",
        "a Stable Diffusion 1 checkpoint, .safetensors or .ckpt (default: the pocket model that comes along)",
    ),
    "embeddings-dir": ("DIR", "where embeddings are (default: embeddings)"),
    "templates-dir": (
        "DIR",
        "own prompt templates (default: textual_inversion_templates; the shipped ones are always known)",
    ),
    "captioner-dir": ("DIR", "the model of the captioner BLIP (default: models/BLIP)"),
    "upscalers-dir": ("DIR", "models of upscalers, .pth or .safetensors (default: models/ESRGAN)"),
    "device": ("DEVICE", "auto, cpu, cuda or cuda:1 (default: auto)"),
}
MODEL = ("checkpoint", "embeddings-dir", "templates-dir", "device")
"""The options of a command that borrows the model."""


def add_host(parser: argparse.ArgumentParser, *options: str) -> None:
    """Options of the host by their names, without dashes; those of :data:`MODEL` where none is named."""
    group = parser.add_argument_group("model and folders")
    for name in options or MODEL:
        metavar, text = _OPTIONS[name]
        group.add_argument(f"--{name}", metavar=metavar, help=text)


def embedded_host(arguments: argparse.Namespace, *, allowed_folders: Sequence[Path] | None = None) -> EmbeddedHost:
    """The embedded host; what is not given comes from the settings file of an earlier run, then from the defaults."""
    from lib_ti.host.embedded.host import EmbeddedHost
    from lib_ti.pocket import CHECKPOINT

    earlier: dict[str, Any] = {}
    if getattr(arguments, "config", None):
        earlier = read_settings_file(as_path(arguments.config, "--config")).get("host", {})
        if not isinstance(earlier, dict):
            raise BadInput(f'"host" in {arguments.config} is {quoted(earlier)}; remove it, or give it as an object.')

    def given(name: str, default: Any) -> Any:
        return str(getattr(arguments, name, None) or earlier.get(name) or default)

    def path(name: str, default: str | Path) -> Path:
        return as_path(given(name, default), f"--{name.replace('_', '-')}")

    return EmbeddedHost(
        path("checkpoint", CHECKPOINT),
        embeddings_folder=path("embeddings_dir", "embeddings"),
        template_folders=(path("templates_dir", "textual_inversion_templates"),),
        allowed_folders=allowed_folders,
        device=given("device", "auto"),
        captioner_folder=path("captioner_dir", "models/BLIP"),
        upscalers_folder=path("upscalers_dir", "models/ESRGAN"),
    )
