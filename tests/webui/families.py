"""A WebUI of the tests' own with a small checkpoint of each family, and calls of a session on it."""

from __future__ import annotations

import contextlib
import functools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lib_ti.pocket.files import OPEN_CLIP, export
from tests.checkpoints import KINDS, write_checkpoint, write_open_clip_config
from tests.webui.instance import Instance, running

POCKET_XL = "pocket-xl"
V_WITH_ZERO_SNR = "sdxl-v-ztsnr"
"""A model of the kind "sdxl-v" whose file says, as NoobAI's, what it predicts and that its noise schedule ends in pure
noise."""

LARGER, LARGER_SIZE = "sdxl-128", 128
"""A model of the kind "sdxl" whose file says that it is for larger images."""


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
def running_with_families(
    folder: Path, *more: str, kinds: Sequence[str] = tuple(KINDS), more_probes: Sequence[str] = ()
) -> Iterator[Families]:
    """Start a WebUI as :func:`tests.webui.instance.running` does, with checkpoints of these kinds.

    Besides those of :data:`KINDS`, there are :data:`POCKET_XL`, :data:`V_WITH_ZERO_SNR` and :data:`LARGER`.
    """
    shutil.copytree(OPEN_CLIP, folder / "open_clip", dirs_exist_ok=True)
    write_open_clip_config(folder / "open_clip")
    probes = ("probe.py", "model_probe.py", "family_probe.py", *more_probes)
    settings = {"live_previews_enable": False}  # for SDXL's, the WebUI would download a network
    with running(folder, *more, probes=probes, models=functools.partial(_write, kinds), settings=settings) as instance:
        yield Families(instance)


def _write(kinds: Sequence[str], models: Path) -> str:
    first, *_ = [_write_one(kind, models) for kind in kinds]
    return first.name


def _write_one(kind: str, models: Path) -> Path:
    if kind == POCKET_XL:
        return export(models, family="sdxl")
    if kind == V_WITH_ZERO_SNR:
        return write_checkpoint(models, "sdxl-v", name=kind, marks=("v_pred", "ztsnr"))
    if kind == LARGER:
        return write_checkpoint(models, "sdxl", name=kind, size=LARGER_SIZE)
    return write_checkpoint(models, kind)
