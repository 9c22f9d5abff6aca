"""Sub-folders of a folder, with the number of images in each. Knows no Gradio."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_ti.data.beside.companions import MASK_LABELS
from lib_ti.data.images.formats import IMAGE_SUFFIXES
from lib_ti.paths import natural_key
from lib_ti.ui.recent_folders import can_be_entered
from lib_ti.wording import counted, printable

COUNTING_SECONDS = 1.0
"""Time for counting the images of all folders of a list; a slow disk shows the list without the rest of the numbers."""
MOST_SHOWN = 500
"""Folders of one list."""


@dataclass(frozen=True)
class Entry:
    """A folder to choose; ``holds`` says what is in it, such as ``24 images``; empty where that is not known."""

    path: Path
    name: str
    holds: str = ""

    @property
    def label(self) -> str:
        return f"{self.name} ({self.holds})" if self.holds else self.name


@dataclass(frozen=True)
class Listing:
    """The folders that can be chosen at one place.

    ``place`` is the folder whose sub-folders they are, and the first of them itself; None for a list of all that this
    server allows. ``above`` is the next folder up as text, empty for that list, None where nothing is above.
    """

    place: Path | None
    entries: tuple[Entry, ...]
    above: str | None = None
    remarks: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        return "" if self.place is None else str(self.place)


def list_folders(paths: Sequence[Path], first: Sequence[Entry] = ()) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Return entries for folders, after ``first``, and remarks on those that are not shown or not counted."""
    usable = [path for path in paths if can_be_entered(path)]
    shown = usable[:MOST_SHOWN]
    remarks = []
    if unusable := len(paths) - len(usable):
        names, them = ("name ends", "it") if unusable == 1 else ("names end", "them")
        remarks.append(
            f"{counted(unusable, 'folder')} not shown, whose {names} with a space or cannot be shown as text: rename "
            f"{them} to use {them}."
        )
    if len(usable) > len(shown):
        remarks.append(
            f"The first {len(shown)} of {len(usable)} sub-folders are shown: type the path of another one above."
        )
    end = time.monotonic() + COUNTING_SECONDS
    entries = [Entry(path, path.name or str(path), contents(path, end)) for path in shown]
    if uncounted := sum(not entry.holds for entry in entries):
        remarks.append(f"{counted(uncounted, 'folder')} not counted, since the disk is slow.")
    return (*first, *entries), tuple(remarks)


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, but for hidden ones, in natural order.

    Raises
    ------
    OSError
        When it cannot be listed.
    """
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]
    return sorted((folder / name for name in names), key=natural_key)


def contents(folder: Path, end: float) -> str:
    """Say how many images and folders are in a folder, by their names; empty after the time ``end``."""
    stems: list[str] = []
    folders = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if time.monotonic() > end:
                    return ""
                if entry.name.startswith("."):
                    continue
                stem, suffix = os.path.splitext(entry.name)
                if suffix.lower() in IMAGE_SUFFIXES and not entry.is_dir():
                    stems.append(stem)
                elif _is_folder(entry):
                    folders += 1
    except OSError as error:
        return f"cannot be read: {error.strerror or printable(str(error))}"
    images = len(stems) - _masks(stems)
    found = [counted(images, "image")] if images else []
    found += [counted(folders, "folder")] if folders else []
    return ", ".join(found) or "empty"


def _masks(stems: Sequence[str]) -> int:
    """Count the names that are those of masks of others, as ``x-mask`` of ``x``."""
    known = set(stems)
    return sum(any(stem.endswith(label) and stem[: -len(label)] in known for label in MASK_LABELS) for stem in stems)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
