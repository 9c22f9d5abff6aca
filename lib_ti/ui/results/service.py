"""The work behind the sub-tab Results, from plain values to plain results. Knows no Gradio."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lib_ti.background.tasks import BackgroundTasks
from lib_ti.host.base import Host
from lib_ti.lazy import lazy
from lib_ti.paths import as_path
from lib_ti.storage import in_use
from lib_ti.ui import reach

if TYPE_CHECKING:
    from lib_ti.data.images import decode
    from lib_ti.embedding import files, library
    from lib_ti.training.cut import keep
    from lib_ti.training.files import place, run_folder
    from lib_ti.training.files.place import Placed
    from lib_ti.training.images import previews
    from lib_ti.ui.results import contact_sheet, state
    from lib_ti.ui.results.state import RunResults
    from lib_ti.ui.results.vectors import service as vectors
else:
    decode = lazy("lib_ti.data.images.decode")
    files = lazy("lib_ti.embedding.files")
    library = lazy("lib_ti.embedding.library")
    keep = lazy("lib_ti.training.cut.keep")
    place = lazy("lib_ti.training.files.place")
    run_folder = lazy("lib_ti.training.files.run_folder")
    previews = lazy("lib_ti.training.images.previews")
    contact_sheet = lazy("lib_ti.ui.results.contact_sheet")
    state = lazy("lib_ti.ui.results.state")
    vectors = lazy("lib_ti.ui.results.vectors.service")


class ResultsService:
    """Finds runs, and uses their checkpoints, for one host."""

    def __init__(self, host: Host, tasks: BackgroundTasks) -> None:
        self._host, self._tasks = host, tasks

    def trained_names(self, log_directory: str) -> list[str]:
        """Embeddings that have runs in the log directory."""
        return state.trained_names(self._folder(log_directory), library.list_names(self._host.folders.embeddings))

    def list_runs(self, log_directory: str, name: str) -> list[str]:
        """Folders of an embedding's runs, the newest first."""
        return state.list_runs(self._folder(log_directory), name)

    def run(self, log_directory: str, name: str, path: str) -> RunResults:
        """Open the run in the folder ``path``; the newest one without a path, or with one of another embedding.

        Raises
        ------
        BadInput
            When the embedding has no run, or ``path`` is none.
        """
        folder, there = self._folder(log_directory), self.list_runs(log_directory, name)
        newest = there and path not in there and (not path or run_folder.is_run(folder, path))
        return state.RunResults(folder, name, there[0] if newest else path)

    def start_contact_sheet(self, run: RunResults, prompts: str) -> None:
        """Start a contact sheet of a run; see :func:`lib_ti.ui.results.contact_sheet.start`."""
        contact_sheet.start(self._tasks, run, self._host, prompts)

    def start_comparing_vectors(self, run: RunResults, step: str) -> None:
        """Compare the numbers of vectors of a checkpoint; see :func:`lib_ti.ui.results.vectors.service.start`."""
        vectors.start(self._tasks, run, step, self._host)

    def keep_vectors(self, run: RunResults, step: str, count: int) -> list[str]:
        """Replace the embedding in the embeddings folder by the first vectors of a checkpoint.

        The file it replaces is kept aside. See :func:`lib_ti.training.cut.keep.keep_vectors` for the errors.

        Returns
        -------
        list
            Sentences on what was written and kept, and the warning last, which may be empty.
        """
        embedding = run.checkpoint(step)
        placed = keep.keep_vectors(self._host, embedding, count)
        return [keep.describe(placed, embedding, count), *placed.notes, placed.warning]

    def restore_checkpoint(self, run: RunResults, step: str) -> tuple[Placed, int]:
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
        with in_use.held(library.target(path), "replaced"):
            runs = run_folder.find_runs(run.folder.path.parents[1], run.name)
            known = path.exists() and place.has_checkpoint(runs, path)
            placed = place.place(host.models, embedding, path, keep_replaced=not known)
            image = run.folder.preview_near(embedding.step)
            kept = previews.show_on_card(image, path) if image else None
        return replace(placed, replaced=(*placed.replaced, *([kept] if kept else []))), embedding.step

    def export_checkpoint(self, run: RunResults, step: str, suffix: str) -> Path:
        """Write a checkpoint as a file of that format into a new temporary folder, under the embedding's name."""
        embedding = run.checkpoint(step)
        target = Path(tempfile.mkdtemp(prefix="textual-inversion-")) / f"{run.name}{suffix}"
        shown = run.folder.preview_near(embedding.step) if suffix == ".png" else None
        files.save(embedding, target, decode.open_image(shown).image if shown else None)
        return target

    def _folder(self, log_directory: str) -> Path:
        reach.check(self._host.folders, {"Log directory": log_directory})
        return as_path(log_directory, "Log directory")
