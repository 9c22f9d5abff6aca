"""Restoring checkpoints into the embeddings folder, and undoing that."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from lib_ti.embedding import files, library
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.storage import in_use
from lib_ti.storage.atomic import write_bytes
from lib_ti.training.cut import keep
from lib_ti.training.files import place, run_folder
from lib_ti.training.files.place import Placed
from lib_ti.training.images import previews
from lib_ti.ui.results.state import RunResults
from lib_ti.wording import quoted

_MOST_KEPT = 20
"""Restores of an embedding that can be undone."""


@dataclass(frozen=True)
class _Restored:
    """What a restore changed: the content of files before and after it, None for no file."""

    step: int
    """Of the embedding before it."""
    path: Path
    before: dict[Path, bytes | None]
    after: dict[Path, bytes | None]
    kept: tuple[Path, ...]
    """Copies of what it replaced."""


class Restorer:
    """Restores checkpoints for one host, and undoes the last restores of this session."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._restored: dict[str, list[_Restored]] = {}

    def restore(self, run: RunResults, step: str) -> tuple[Placed, int]:
        """Make a checkpoint the embedding in the embeddings folder, in the embedding's file format, with its preview.

        The file it replaces is kept aside, unless a run of the embedding has a checkpoint with the same vectors.

        Returns
        -------
        tuple
            What was written, and the checkpoint's step.

        Raises
        ------
        BadInput
            When there is no such checkpoint, several files have the embedding's name, or it is being trained.
        """
        host, embedding = self._host, run.checkpoint(step)
        path = keep.published_path(host.folders.embeddings, run.name)
        shown = previews.card_image(path)
        with in_use.held(library.target(path), "replaced"):
            before, former = _contents(path, shown), current_step(path)
            runs = run_folder.find_runs(run.folder.path.parents[1], run.name)
            known = path.exists() and place.has_checkpoint(runs, path)
            placed = place.place(host.models, embedding, path, keep_replaced=not known)
            image = run.folder.preview_near(embedding.step)
            kept = previews.show_on_card(image, path) if image else None
            placed = replace(placed, replaced=(*placed.replaced, *([kept] if kept else [])))
            after = _contents(path, shown)
            if former is not None and after != before:
                done = _Restored(former, path, before, after, placed.replaced)
                self._restored[run.name] = [*self._restored.get(run.name, []), done][-_MOST_KEPT:]
        return placed, embedding.step

    def undo_title(self, name: str) -> str:
        """Say what :meth:`undo` would do; empty where nothing was restored."""
        done = self._restored.get(name)
        return f"Undo: restore step {done[-1].step}" if done else ""

    def undo(self, name: str) -> Placed:
        """Put back what the last restore of an embedding replaced, its preview too, and return what was written.

        Raises
        ------
        BadInput
            When nothing was restored, the files were changed since, or the embedding is being trained.
        """
        done = self._restored.get(name)
        if not done:
            raise BadInput(f"No checkpoint of {quoted(name)} was restored since the program was started.")
        last = done[-1]
        with in_use.held(library.target(last.path), "replaced"):
            if _contents(*last.after) != last.after:
                raise BadInput(f"{last.path} was changed since it was restored: nothing was undone.")
            for path, content in last.before.items():
                if content is None:
                    path.unlink(missing_ok=True)
                else:
                    write_bytes(path, content)
            warning = self._host.models.embedding_saved(last.path)
            done.pop()
        for copy in last.kept:  # what they hold is back in its place
            with suppress(OSError):
                if copy.read_bytes() in last.before.values():
                    copy.unlink()
        said = f"{last.path} is again the embedding of step {last.step}."
        return Placed(last.path, remarks=(said,), warning=warning)


def current_step(path: Path) -> int | None:
    """Return the step of the embedding in a file; None where there is none that can be read."""
    try:
        return files.load(path).step if path.exists() else None
    except BadInput:
        return None


def _contents(*paths: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.exists() else None for path in paths}
