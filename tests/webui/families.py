"""A WebUI of the tests' own with a small checkpoint of each family, and calls of a session on it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.checkpoints import KINDS, write_checkpoint, write_open_clip_config
from tests.webui.instance import Instance, running


class Families:
    """The WebUI with the probe of the families."""

    def __init__(self, webui: Instance) -> None:
        self.webui = webui

    def __call__(self, name: str, /, **options: Any) -> Any:
        """The answer of one of the probe's functions."""
        return self.webui.call(name, at="family", **options)

    def load(self, kind: str) -> None:
        """Load a family's checkpoint, as choosing it at the top left does."""
        self.webui.post("options", {"sd_model_checkpoint": f"{kind}.safetensors"})


def checkpoint_of(webui: Instance, kind: str) -> Path:
    return webui.models / f"{kind}.safetensors"


@contextlib.contextmanager
def running_with_families(folder: Path, *more: str, kinds: Sequence[str] = tuple(KINDS)) -> Iterator[Families]:
    """Start a WebUI as :func:`tests.webui.instance.running` does, with checkpoints of these kinds."""
    (folder / "open_clip").mkdir(exist_ok=True)
    write_open_clip_config(folder / "open_clip")
    probes = ("probe.py", "model_probe.py", "family_probe.py")
    settings = {"live_previews_enable": False}  # for SDXL's, the WebUI would download a network
    with running(folder, *more, probes=probes, models=functools.partial(_write, kinds), settings=settings) as instance:
        yield Families(instance)


def _write(kinds: Sequence[str], models: Path) -> str:
    paths = [write_checkpoint(models, kind) for kind in kinds]
    return paths[0].name
