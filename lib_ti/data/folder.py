"""The files of a picture folder that may be pictures, in the order in which people list them."""

from __future__ import annotations

import re
from pathlib import Path

from lib_ti.data.images import PICTURE_SUFFIXES, UnreadablePicture, read_header
from lib_ti.errors import BadInput, reason
from lib_ti.paths import folder_problem
from lib_ti.wording import quoted

_NO_PICTURES = frozenset({".txt", ".caption", ".json", ".csv", ".npz", ".npy", ".pt", ".safetensors", ".db", ".ini"})


def list_files(folder: Path) -> list[Path]:
    """All files directly in a folder that may be pictures, by name or by content, in natural order.

    Hidden files, captions, caches and masks (``<picture>-mask.png`` beside its picture) are left out.

    Raises
    ------
    BadInput
        When the folder is missing, is a file, or cannot be listed.
    """
    if found := folder_problem(folder):
        raise BadInput(f"The picture folder {found}")
    try:
        files = [path for path in folder.iterdir() if path.is_file()]
    except OSError as error:
        raise BadInput(f"The picture folder {quoted(folder)} cannot be read: {reason(error)}.") from error
    # "carnival-mask.png" without a "carnival" beside it is a picture like any other.
    masks = {f"{path.stem}-mask.png" for path in files if path.suffix.lower() in PICTURE_SUFFIXES}
    left = [path for path in files if not path.name.startswith(".") and path.name not in masks]
    return sorted((path for path in left if path.suffix.lower() not in _NO_PICTURES), key=natural_key)


def list_pictures(folder: Path) -> list[Path]:
    """Those of :func:`list_files` that a person means as pictures, by suffix or content, whether or not they can be
    read."""
    return [path for path in list_files(folder) if path.suffix.lower() in PICTURE_SUFFIXES or _is_picture(path)]


def _is_picture(path: Path) -> bool:
    try:
        # Some files of /proc are empty by their size, and whoever reads them waits for ever.
        if not path.stat().st_size:
            return False
        with path.open("rb") as file:
            read_header(path, file)
    except (UnreadablePicture, OSError):
        return False
    return True


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """A sort key by file name that puts "2.png" before "10.png"."""
    # Text and numbers alternate, beginning with text, so that like is compared with like.
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.name
