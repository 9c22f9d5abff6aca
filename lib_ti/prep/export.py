"""A prepared folder as one zip file: images, captions and masks."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from lib_ti.data.beside.captions import caption_files
from lib_ti.data.beside.companions import Beside
from lib_ti.data.beside.masks import find_masks
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.prepared import images_in
from lib_ti.storage.atomic import write_atomically

_OURS = b"lib_ti"
"""Comment in the zip files written here, which may be replaced."""


def check_target(path: Path) -> None:
    """Raise :class:`BadInput` where a file that :func:`export_zip` did not write has the path."""
    if path.exists() and not _is_ours(path):
        raise BadInput(f"{path} already exists and is not a zip file of a prepared folder: choose another name.")


def _is_ours(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment == _OURS
    except (OSError, zipfile.BadZipFile):
        return False


def export_zip(folder: Path, path: Path, *, progress: Callable[[int, int], None], stop: Callable[[], bool]) -> int:
    """Write the images of a folder, with their captions and masks, to a zip file; return how many images there are.

    Parameters
    ----------
    progress
        Called with the number of images that are done, and of all.
    stop
        Asked between images.

    Raises
    ------
    BadInput
        When the folder is missing or has no image, or another file has the path.
    CannotWrite
        When the disk does not accept the file, or an image cannot be read.
    Stopped
        When ``stop`` returned true; no file is left.
    """
    check_target(path)
    images, beside = images_in(folder), Beside(folder)
    if not images:
        raise BadInput(f"The folder {folder} has no image; prepare some first.")

    def write(unfinished: Path) -> None:
        written: set[Path] = set()
        with zipfile.ZipFile(unfinished, "w") as archive:
            archive.comment = _OURS
            for number, image in enumerate(images):
                progress(number, len(images))
                if stop():
                    raise Stopped("Writing the zip file was stopped; no file was written.")
                archive.write(image, image.name)  # stored: images are compressed already
                for extra in (*caption_files(image, beside), *find_masks(image, beside), *beside.metadata_files):
                    if extra not in written:
                        archive.write(extra, extra.name, zipfile.ZIP_DEFLATED)
                        written.add(extra)

    write_atomically(path, write)
    progress(len(images), len(images))
    return len(images)
