"""The captions of a folder as files: which pictures have them, and writing them so that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from pathlib import Path

from lib_ti import atomic
from lib_ti.data.beside import Beside
from lib_ti.data.captions import caption_path
from lib_ti.data.folder import list_pictures
from lib_ti.errors import BadInput

BEFORE = ".captions-before"
"""The folder, within that of the pictures, of all captions that were replaced."""


def pictures_of(folder: Path) -> list[Path]:
    """The files of :func:`lib_ti.data.folder.list_pictures`, of which there is at least one.

    Raises
    ------
    BadInput
        When the folder cannot be listed, or holds no picture.
    """
    found = list(list_pictures(folder).values())
    if not found:
        raise BadInput(f"The picture folder {folder} holds no picture; put pictures directly into it.")
    return found


def shared_files(pictures: Iterable[Path], beside: Beside) -> dict[Path, Path]:
    """The pictures whose caption file is that of an earlier one as well, with that one: "a.png" beside "a.jpg"."""
    first: dict[Path, Path] = {}
    owners = {picture: first.setdefault(caption_path(picture, beside), picture) for picture in pictures}
    return {picture: owner for picture, owner in owners.items() if owner != picture}


class Keeper:
    """Writes caption files, and keeps what they held before in ``.captions-before/<time of the first write>/``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / BEFORE
        self._kept: Path | None = None

    def write(self, path: Path, text: str) -> None:
        """Write a caption as UTF-8; a file that has it already is left alone.

        Raises
        ------
        CannotWrite
            When the folder or the disk does not take it; the file is then as it was.
        """
        data = text.encode()
        before = path.read_bytes() if path.exists() else None
        if before == data:
            return
        if before is not None:
            atomic.write_bytes(self._place(path.name), before)
        atomic.write_bytes(path, data)

    def _place(self, name: str) -> Path:
        """Where to keep a file: in this time's folder, or in another one if it has kept a file of that name."""
        if self._kept is None or (self._kept / name).exists():
            now = datetime.now().strftime("%Y-%m-%d-%H-%M-%S")
            names = (now if number == 1 else f"{now}-{number}" for number in count(1))
            self._kept = next(place for place in map(self._folder.joinpath, names) if not place.exists())
        return self._kept / name
