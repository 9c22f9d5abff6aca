"""Writing an embedding into the embeddings folder, where nothing that it replaces is lost."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import ModelHost
from lib_ti.storage import aside
from lib_ti.training.files.run_folder import RunFolder


@dataclass(frozen=True)
class Placed:
    """An embedding's file, where the files that it replaced are now, and sentences for the user."""

    path: Path
    replaced: tuple[Path, ...] = ()
    remarks: tuple[str, ...] = ()
    warning: str = ""
    """Why the host could not load it, empty if it did."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user besides the warning."""
        return tuple(filter(None, (*self.remarks, aside.sentence(self.replaced))))

    @property
    def warnings(self) -> tuple[str, ...]:
        return (self.warning,) if self.warning else ()


def place(
    host: ModelHost, embedding: Embedding, path: Path, *, shadowing: Iterable[Path] = (), keep_replaced: bool = True
) -> Placed:
    """Write an embedding, and have the host load it.

    Parameters
    ----------
    shadowing
        Other files that prompts would use in its place, or might: they are set aside.
    keep_replaced
        False where the file at ``path`` is kept elsewhere already.

    Raises
    ------
    CannotWrite
        When it cannot be written, what is at ``path`` being unchanged then, or another file cannot be set aside.
    """
    with aside.kept(path) if keep_replaced else nullcontext() as kept:
        files.save(embedding, path)
    # Where file systems do not tell a from A, an old file may be the new one.
    moved = [aside.set_aside(other) for other in shadowing if other.exists() and not other.samefile(path)]
    return Placed(path, tuple(filter(None, (kept, *moved))), warning=host.embedding_saved(path))


def has_checkpoint(runs: Iterable[RunFolder], path: Path) -> bool:
    """Return whether one of the runs has a checkpoint with the vectors of the embedding's file."""
    try:
        embedding = files.load(path)
    except BadInput:
        return False
    checkpoints = [
        checkpoint
        for run in runs
        for checkpoint in (
            *(checkpoint for step, checkpoint in run.checkpoints() if step == embedding.step),
            *run.best_checkpoints().values(),
        )
    ]
    return any(has_vectors(checkpoint, embedding) for checkpoint in checkpoints)


def has_vectors(path: Path, embedding: Embedding) -> bool:
    """Return whether the file of an embedding has the same vectors; False where it cannot be read."""
    try:
        vectors = files.load(path).vectors
    except BadInput:
        return False
    others = embedding.vectors
    return vectors.keys() == others.keys() and all(tensor.equal(others[key]) for key, tensor in vectors.items())
