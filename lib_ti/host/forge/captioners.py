"""The fork's captioners, where it has them, and those of ``models/captioners``; loaded with its queue lock held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from modules import devices, paths, shared

from lib_ti.errors import BadInput
from lib_ti.host.captioners import folders
from lib_ti.host.embedded.release import empty_caches
from lib_ti.host.tools import Captioner, Report, TagOptions
from lib_ti.host.webui.base.random_state import preserved_random_state
from lib_ti.lazy import lazy
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.host.webui.base import captioners as own
else:
    own = lazy("lib_ti.host.webui.base.captioners")


def names() -> tuple[str, ...]:
    return (*_own_names(), *_folders())


def _own_names() -> tuple[str, ...]:
    """Return none in Forge Neo, which has no interrogators."""
    return own.NAMES if find_spec("modules.interrogate") and find_spec("modules.deepbooru") else ()


def _folders() -> dict[str, Path]:
    return folders.captioner_folders(_folder(), _own_names())


def _folder() -> Path:
    return Path(paths.models_path) / "captioners"


@contextmanager
def captioner(name: str, report: Report, tags: TagOptions) -> Iterator[Captioner]:
    """Load one of :func:`names` onto the fork's device.

    Raises
    ------
    BadInput
        When there is none of that name, or its model cannot be loaded.
    """
    local = _folders()
    if name not in names():
        there = f"use {', '.join(names())}" if names() else f"put a model's folder into {_folder()}"
        raise BadInput(f"There is no captioner {quoted(name)} here; {there}.")
    try:
        with preserved_random_state():
            if name in local:
                report(f"Loading the captioner {name} from {local[name]}.")
                yield folders.load(local[name], tags, devices.device)
            else:
                with (_blip if name == own.BLIP else own.deepbooru)(report) as loaded:
                    yield loaded
    finally:
        empty_caches(devices.device)


@contextmanager
def _blip(report: Report) -> Iterator[Captioner]:
    """Load BLIP in a copy of our own: the fork's is known to its memory manager."""
    interrogator = shared.interrogator
    model = own.load_blip(report)
    try:
        yield own.Blip(model.to(interrogator.load_device, interrogator.dtype))
    finally:
        model.to("meta")
