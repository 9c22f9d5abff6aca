"""The prepared folder: where results, captions, masks and the files of the preparation itself are."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from lib_ti.data.beside.masks import mask_path
from lib_ti.data.folder import list_files
from lib_ti.data.images.formats import has_image_suffix
from lib_ti.data.preparations import MANIFEST, prepared_folders
from lib_ti.paths import resolved
from lib_ti.storage import aside
from lib_ti.storage.atomic import CannotWrite


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, empty where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def images_in(folder: Path) -> list[Path]:
    """List the files of a folder that are images by their suffixes, in natural order.

    Raises
    ------
    BadInput
        When the folder is missing, is a file, or cannot be listed.
    """
    return [path for path in list_files(folder).paths if has_image_suffix(path)]


@dataclass(frozen=True)
class PreparedFolder:
    """A folder ready to train on; what training does not need is in ``.preparation`` and ``preparation.json``.

    ``source`` is the folder of the images that are prepared into it, where the caller knows it.
    """

    path: Path
    source: Path | None = field(default=None, compare=False)

    @property
    def manifest(self) -> Path:
        return self.path / MANIFEST

    @property
    def previous(self) -> PreparedFolder | None:
        """The last other folder that the same images were prepared into, as long as this one has no manifest.

        The decisions about the images there count here too, until something is decided here.
        """
        if self.source is None or self.manifest.exists():
            return None
        here = resolved(self.path)
        others = [path for path in prepared_folders(self.source) if path != here]
        return PreparedFolder(others[-1]) if others else None

    @property
    def inner(self) -> Path:
        return self.path / ".preparation"

    @property
    def patches(self) -> Path:
        return self.inner / "patches"

    def patch(self, name: str) -> Path:
        """Return the file of a patch, which is in the previous folder while its decisions count here."""
        path, previous = self.patches / f"{name}.png", self.previous
        return path if path.exists() or previous is None else previous.patch(name)

    @property
    def inspection(self) -> Path:
        """The folder of the inspection cache."""
        return self.inner / "inspection"

    @property
    def removed(self) -> Path:
        """The folder of replaced and unused files."""
        return self.inner / "removed"

    def image(self, name: str) -> Path:
        return self.path / name

    def caption(self, name: str) -> Path:
        return (self.path / name).with_suffix(".txt")

    def mask(self, name: str) -> Path:
        return mask_path(self.path / name)

    def files(self, name: str) -> tuple[Path, Path, Path]:
        """Return image, caption and mask of a result."""
        return self.image(name), self.caption(name), self.mask(name)

    def move(self, path: Path, target: Path) -> None:
        """Move a file, if it exists, to a path within this folder.

        Raises
        ------
        CannotWrite
            When the file cannot be moved.
        """
        try:
            if path.exists():
                os.replace(path, target)
        except OSError as error:
            raise CannotWrite(f"{path} cannot be moved to {target}: {error.strerror or error}.") from error

    def set_aside(self, path: Path) -> Path | None:
        """Move a file to ``removed``, under a name that is free there; return None where there is no such file.

        Raises
        ------
        CannotWrite
            When the file cannot be moved.
        """
        return aside.set_aside(path, self.removed) if path.exists() else None
