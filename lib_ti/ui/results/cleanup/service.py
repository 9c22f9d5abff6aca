"""Deleting and archiving the checkpoints of a run. Previews, tables and the state that a run continues from stay."""

from __future__ import annotations

import datetime
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_ti.embedding import files, library
from lib_ti.errors import BadInput
from lib_ti.storage import in_use
from lib_ti.storage.atomic import CannotWrite, write_atomically
from lib_ti.training.files import place
from lib_ti.training.files.run_folder import BEST
from lib_ti.ui.results.state import RunResults
from lib_ti.wording import counted, precise_size, some

_FOLDERS = ("embeddings", "image_embeddings")
"""Of the run: checkpoints, and their PNG cards."""


@dataclass(frozen=True)
class Plan:
    """The files that are removed with some checkpoints, from the run's folder, and their bytes."""

    checkpoints: tuple[str, ...]
    files: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        return sum(size for _, size in self.files)

    def describe(self) -> str:
        return f"{counted(len(self.files), 'file')}, {precise_size(self.size)}"


def sizes(run: RunResults) -> dict[str, int]:
    """Return the bytes of each checkpoint with its card, by its entry in the list."""
    by_stem: Counter[str] = Counter()
    for path in _all_files(run):
        by_stem[path.stem] += path.stat().st_size
    return {key: by_stem[f"{run.name}-{key}"] for key in run.checkpoints()}


def kept(run: RunResults, embeddings: Path) -> list[str]:
    """Return the checkpoints that stay unless they are chosen: the best one, and the one that is in use.

    Parameters
    ----------
    embeddings
        The embeddings folder.
    """
    there = library.find_all(embeddings, run.name)
    found = []
    for key, path in run.checkpoints().items():
        if key == BEST or any(_is_copy(path, one) for one in there):
            found.append(key)
    return found


def plan(run: RunResults, chosen: Sequence[str]) -> Plan:
    """Return what removing some checkpoints would remove.

    Raises
    ------
    BadInput
        When none is chosen, or one is not there.
    """
    if not chosen:
        raise BadInput("No checkpoint is chosen: choose those that you do not need.")
    there = run.checkpoints()
    if gone := [key for key in chosen if key not in there]:
        raise BadInput(f"There is no checkpoint of step {some(gone)} any more: press Show to see what there is.")
    return Plan(tuple(chosen), _files(run, chosen))


def remove(run: RunResults, agreed: Plan, *, archive: bool) -> str:
    """Delete the files of a plan, or move them into a new zip in the run's folder; return a sentence about it.

    Raises
    ------
    BadInput
        When the run is in progress, or the files are not those of the plan any more: nothing was removed then.
    CannotWrite
        When the zip cannot be written, nothing having been removed then, or a file cannot be deleted.
    """
    with in_use.held(run.folder.target, "cleaned up"):
        if plan(run, agreed.checkpoints) != agreed:
            raise BadInput("The checkpoints have changed since you were asked: nothing was removed. Press it again.")
        paths = [run.folder.path / name for name, _ in agreed.files]
        target = _archived(run, paths) if archive else None
        for path in paths:
            try:
                path.unlink()
            except OSError as error:
                raise CannotWrite(f"{path} cannot be deleted: {error.strerror or error}.") from error
    number = counted(len(agreed.checkpoints), "checkpoint")
    if target is None:
        return f"Deleted {number} ({agreed.describe()}): {precise_size(agreed.size)} are free again."
    freed = precise_size(max(0, agreed.size - target.stat().st_size))
    return f"Archived {number} in {target}: {freed} are free again. Unpack it in the run's folder to have them back."


def _files(run: RunResults, chosen: Iterable[str]) -> tuple[tuple[str, int], ...]:
    stems = {f"{run.name}-{key}" for key in chosen}
    found = [path for path in _all_files(run) if path.stem in stems]
    return tuple(sorted((path.relative_to(run.folder.path).as_posix(), path.stat().st_size) for path in found))


def _all_files(run: RunResults) -> list[Path]:
    return [path for folder in _FOLDERS for path in (run.folder.path / folder).glob("*") if path.is_file()]


def _archived(run: RunResults, paths: Sequence[Path]) -> Path:
    """Write the files into a new zip, whose content is compared with them."""
    now = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S")
    target = run.folder.path / f"checkpoints-{now}.zip"
    if target.exists():
        raise CannotWrite(f"{target} exists already: try it again in a second.")
    names = {path: path.relative_to(run.folder.path).as_posix() for path in paths}

    def write(beside: Path) -> None:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, name in names.items():
                archive.write(path, name)
        with zipfile.ZipFile(beside) as archive:
            for path, name in names.items():
                if archive.read(name) != path.read_bytes():
                    raise CannotWrite(f"{name} could not be verified in the archive: nothing was removed.")

    write_atomically(target, write)
    return target


def _is_copy(checkpoint: Path, embedding: Path) -> bool:
    try:
        return place.has_vectors(checkpoint, files.load(embedding))
    except BadInput:
        return False
