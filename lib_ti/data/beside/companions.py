"""Files that stand beside an image and belong to it: captions, masks, and what other programs put there."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from lib_ti.data.beside.metadata import Metadata, read_metadata

MASK_LABELS = ("-mask", "-masklabel", "_mask", ".mask")
"""What follows an image's name in the name of its mask; those of :mod:`lib_ti.data.beside.masks`, which needs torch."""


class Beside:
    """The files of one folder, listed once, to find those that belong to an image of it.

    ``parent`` is the same for the folder above, where the images of sub-folders are used: its metadata may describe
    them too. A folder that cannot be listed has no files.
    """

    def __init__(self, folder: Path, parent: Beside | None = None) -> None:
        self.folder = folder
        self.parent = parent
        self._names: dict[str, list[str]] = defaultdict(list)
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries if entry.is_file()]
        except OSError:
            names = []
        self.files = [folder / name for name in names]
        for name in sorted(names, reverse=True):  # of x.txt and x.TXT the first one counts
            self._names[name.lower()].append(name)
        self.metadata: tuple[Metadata, ...] = tuple(read_metadata(folder, names))

    @property
    def metadata_files(self) -> tuple[Path, ...]:
        return tuple(self.folder / table.name for table in self.metadata)

    def find(self, owner: str, ending: str) -> Iterator[Path]:
        """Yield the files named ``owner`` + ``ending``, the ending in any letter case."""
        for name in self._names.get((owner + ending).lower(), ()):
            # "IMG_1.txt" belongs to "img_1.png" only on disks that do not tell the two names apart.
            if name.startswith(owner) or (self.folder / (owner + name[len(owner) :])).exists():
                yield self.folder / name

    def metadata_of(self, image: Path) -> Iterator[tuple[Metadata, str]]:
        """Yield the captions that metadata files of this folder and those above have for an image."""
        above: Beside | None = self
        while above is not None:
            name = image.relative_to(above.folder).as_posix()
            yield from ((table, table.captions[name]) for table in above.metadata if name in table.captions)
            above = above.parent
