"""An embedding takes its place in the embeddings folder, and nothing that was there is lost."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from lib_ti import aside
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import ModelHost
from lib_ti.training.files.run_folder import RunFolder


@dataclass(frozen=True)
class Placed:
    """An embedding's file, where the files are now that it replaced, and sentences for the user, empty for none."""

    path: Path
    replaced: tuple[Path, ...] = ()
    remark: str = ""
    warning: str = ""
    """What the host could not do with it."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should read about it besides the warning."""
        return tuple(filter(None, (self.remark, aside.sentence(self.replaced))))

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
    """Whether one of the runs has a checkpoint with the vectors that the embedding's file holds."""
    try:
        embedding = files.load(path)
    except BadInput:
        return False
    copies = [
        copy
        for run in runs
        for copy in (
            *(copy for step, copy in run.checkpoints() if step == embedding.step),
            *run.best_checkpoints().values(),
        )
    ]
    return any(_holds(copy, embedding) for copy in copies)


def _holds(path: Path, embedding: Embedding) -> bool:
    try:
        vectors = files.load(path).vectors
    except BadInput:
        return False
    wanted = embedding.vectors
    return vectors.keys() == wanted.keys() and all(tensor.equal(wanted[key]) for key, tensor in vectors.items())
