"""Caption files of a folder: found, and written so that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from pathlib import Path

from lib_ti.data.beside.captions import caption_path
from lib_ti.data.beside.companions import Beside
from lib_ti.data.folder import list_images
from lib_ti.errors import BadInput
from lib_ti.storage import atomic

BEFORE = ".captions-before"
"""Folder, within that of the images, of all captions that were replaced."""


def caption_images(folder: Path) -> list[Path]:
    """List the images directly in a folder, at least one.

    Raises
    ------
    BadInput
        When the folder cannot be listed, or has no image.
    """
    found = list(list_images(folder).values())
    if not found:
        raise BadInput(f"The image folder {folder} has no image; put images directly into it.")
    return found


def shared_files(images: Iterable[Path], beside: Beside) -> dict[Path, Path]:
    """Map images to the earlier image that has the same caption file, such as "a.png" to "a.jpg"."""
    first: dict[Path, Path] = {}
    owners = {image: first.setdefault(caption_path(image, beside), image) for image in images}
    return {image: owner for image, owner in owners.items() if owner != image}


class CaptionWriter:
    """Writes caption files, and keeps their previous content in ``.captions-before/<time of the first write>/``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / BEFORE
        self._kept: Path | None = None

    def write(self, path: Path, text: str) -> None:
        """Write a caption as UTF-8; a file that already has it is unchanged.

        Raises
        ------
        CannotWrite
            When the folder or the disk does not accept it; the file is then unchanged.
        """
        data = text.encode()
        before = path.read_bytes() if path.exists() else None
        if before == data:
            return
        if before is not None:
            atomic.write_bytes(self._backup_path(path.name), before)
        atomic.write_bytes(path, data)

    def _backup_path(self, name: str) -> Path:
        """Return where to keep a file: in this writer's folder, or in a new one if that already has a file of the
        name."""
        if self._kept is None or (self._kept / name).exists():
            now = datetime.now().strftime("%Y-%m-%d-%H-%M-%S")
            names = (now if number == 1 else f"{now}-{number}" for number in count(1))
            self._kept = next(place for place in map(self._folder.joinpath, names) if not place.exists())
        return self._kept / name
