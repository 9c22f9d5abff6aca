"""Files that are made for a visitor to download, in temporary folders: the newest few are kept."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from lib_ti.data.images import decode
from lib_ti.embedding import files
from lib_ti.errors import BadInput
from lib_ti.ui.results.state import RunResults

_MOST = 12


class Downloads:
    """Makes the files; those of this object are removed with it, or at the end of the program."""

    def __init__(self) -> None:
        self._folders: list[tempfile.TemporaryDirectory[str]] = []

    def checkpoint(self, run: RunResults, step: str, suffix: str) -> Path:
        """Write a checkpoint as a file of that format, under the embedding's name.

        Raises
        ------
        BadInput
            When there is no such checkpoint.
        """
        embedding = run.checkpoint(step)
        target = self._new(f"{run.name}{suffix}")
        shown = run.folder.preview_near(embedding.step) if suffix == ".png" else None
        files.save(embedding, target, decode.open_image(shown).image if shown else None)
        return target

    def images(self, run: RunResults) -> Path:
        """Write a zip of a run's images: previews, contact sheets and plots.

        Raises
        ------
        BadInput
            When it has none.
        """
        found = sorted([*run.folder.path.glob("*.png"), *(run.folder.path / "images").glob("*.png")])
        if not found:
            raise BadInput(f"The run in {run.folder.path} has no images.")
        target = self._new(f"{run.folder.path.name}-images.zip")
        with zipfile.ZipFile(target, "w") as archive:  # PNG files are compressed already
            for path in found:
                archive.write(path, f"{run.folder.path.name}/{path.relative_to(run.folder.path).as_posix()}")
        return target

    def _new(self, name: str) -> Path:
        """Return the path of a new file, in a folder of its own since it has the name that the visitor wants."""
        self._folders.append(tempfile.TemporaryDirectory(prefix="textual-inversion-"))
        for old in self._folders[:-_MOST]:
            old.cleanup()
        self._folders = self._folders[-_MOST:]
        return Path(self._folders[-1].name) / name
