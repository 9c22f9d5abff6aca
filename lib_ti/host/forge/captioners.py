"""Captioners of ``models/captioners``, loaded with the fork's queue lock held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modules import devices, paths

from lib_ti.errors import BadInput
from lib_ti.host.captioners import folders
from lib_ti.host.embedded.release import empty_caches
from lib_ti.host.tools import Captioner, Report, TagOptions
from lib_ti.host.webui.base.random_state import preserved_random_state
from lib_ti.wording import quoted


def names() -> tuple[str, ...]:
    return tuple(_folders())


def _folders() -> dict[str, Path]:
    return folders.captioner_folders(_folder(), ())


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
    if name not in local:
        there = f"use {', '.join(local)}" if local else f"put a model's folder into {_folder()}"
        raise BadInput(f"There is no captioner {quoted(name)} here; {there}.")
    report(f"Loading the captioner {name} from {local[name]}.")
    try:
        with preserved_random_state():
            yield folders.load(local[name], tags, devices.device)
    finally:
        empty_caches(devices.device)
