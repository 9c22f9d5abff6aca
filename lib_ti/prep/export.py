"""A prepared folder as one zip file: pictures, captions and masks."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from lib_ti.atomic import write_atomically
from lib_ti.data.beside import Beside
from lib_ti.data.captions import caption_files
from lib_ti.data.masks import find_masks
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.prepared import pictures_in

_OURS = b"lib_ti"
"""The comment of our zip files, which may be replaced."""


def check_target(path: Path) -> None:
    """Raise :class:`BadInput` where a file is in the way that :func:`export_zip` did not write."""
    if path.exists() and not _is_ours(path):
        raise BadInput(f"{path} exists already and is no zip file of a prepared folder: choose another name.")


def _is_ours(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment == _OURS
    except (OSError, zipfile.BadZipFile):
        return False


def export_zip(folder: Path, path: Path, *, progress: Callable[[int, int], None], stop: Callable[[], bool]) -> int:
    """Write the pictures of a folder, with their captions and masks, to a zip file; how many pictures there are.

    Parameters
    ----------
    progress
        Called with pictures done and in all.
    stop
        Asked between pictures.

    Raises
    ------
    BadInput
        When the folder is missing or has no picture, or another file is in the way.
    CannotWrite
        When the disk does not take the file, or a picture cannot be read.
    Stopped
        When ``stop`` said so; no file is left.
    """
    check_target(path)
    pictures, beside = pictures_in(folder), Beside(folder)
    if not pictures:
        raise BadInput(f"The folder {folder} holds no picture; prepare some first.")

    def write(unfinished: Path) -> None:
        written: set[Path] = set()
        with zipfile.ZipFile(unfinished, "w") as archive:
            archive.comment = _OURS
            for number, picture in enumerate(pictures):
                progress(number, len(pictures))
                if stop():
                    raise Stopped("Writing the zip file was stopped; nothing was written.")
                archive.write(picture, picture.name)  # as it is: pictures are compressed already
                for extra in (*caption_files(picture, beside), *find_masks(picture, beside), *beside.metadata_files):
                    if extra not in written:
                        archive.write(extra, extra.name, zipfile.ZIP_DEFLATED)
                        written.add(extra)

    write_atomically(path, write)
    progress(len(pictures), len(pictures))
    return len(pictures)
