"""The work behind the sub-tab Results, from plain values to plain results. Knows no Gradio."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lib_ti.background.tasks import BackgroundTasks
from lib_ti.host.base import Host
from lib_ti.lazy import lazy
from lib_ti.paths import as_path
from lib_ti.ui import reach

if TYPE_CHECKING:
    from lib_ti.embedding import library
    from lib_ti.training.cut import keep
    from lib_ti.training.files import run_folder
    from lib_ti.training.files.place import Placed
    from lib_ti.ui.results import contact_sheet, downloads, restoring, state
    from lib_ti.ui.results.compare import service as comparing
    from lib_ti.ui.results.compare.service import Side
    from lib_ti.ui.results.downloads import Downloads
    from lib_ti.ui.results.restoring import Restorer
    from lib_ti.ui.results.state import RunResults
    from lib_ti.ui.results.vectors import service as vectors
else:
    library = lazy("lib_ti.embedding.library")
    keep = lazy("lib_ti.training.cut.keep")
    run_folder = lazy("lib_ti.training.files.run_folder")
    contact_sheet = lazy("lib_ti.ui.results.contact_sheet")
    comparing = lazy("lib_ti.ui.results.compare.service")
    downloads = lazy("lib_ti.ui.results.downloads")
    restoring = lazy("lib_ti.ui.results.restoring")
    state = lazy("lib_ti.ui.results.state")
    vectors = lazy("lib_ti.ui.results.vectors.service")


class ResultsService:
    """Finds runs, and uses their checkpoints, for one host."""

    def __init__(self, host: Host, tasks: BackgroundTasks) -> None:
        self._host, self._tasks = host, tasks

    @cached_property
    def restorer(self) -> Restorer:
        """Restores checkpoints, and undoes it."""
        return restoring.Restorer(self._host)

    @cached_property
    def downloads(self) -> Downloads:
        """Makes files to download."""
        return downloads.Downloads()

    def trained_names(self, log_directory: str) -> list[str]:
        """Embeddings that have runs in the log directory."""
        return state.trained_names(self._folder(log_directory), library.list_names(self._host.folders.embeddings))

    def last_trained(self, log_directory: str) -> str:
        """Return the embedding whose run was saved last; empty where none has a run."""
        return state.last_trained(self._folder(log_directory), self.trained_names(log_directory))

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

    def current_step(self, name: str) -> int | None:
        """Return the step of the embedding in the embeddings folder; None where there is not one that can be read."""
        found = library.find_all(self._host.folders.embeddings, name)
        return restoring.current_step(found[0]) if len(found) == 1 else None

    def start_contact_sheet(self, run: RunResults, prompts: str) -> None:
        """Start a contact sheet of a run; see :func:`lib_ti.ui.results.contact_sheet.start`."""
        contact_sheet.start(self._tasks, run, self._host, prompts)

    def other_runs(self, log_directory: str, run: RunResults) -> dict[str, tuple[str, str]]:
        """Return name and folder of all runs but one, by what the list of them shows."""
        return comparing.other_runs(self._folder(log_directory), self.trained_names(log_directory), run)

    def start_comparison(self, one: Side, other: Side, prompts: str) -> None:
        """Generate the same prompts with two runs; see :func:`lib_ti.ui.results.compare.service.start`."""
        comparing.start(self._tasks, one, other, prompts, self._host)

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
        """Make a checkpoint the embedding; see :meth:`lib_ti.ui.results.restoring.Restorer.restore`."""
        return self.restorer.restore(run, step)

    def export_checkpoint(self, run: RunResults, step: str, suffix: str) -> Path:
        """Write a checkpoint as a file to download; see :meth:`lib_ti.ui.results.downloads.Downloads.checkpoint`."""
        return self.downloads.checkpoint(run, step, suffix)

    def _folder(self, log_directory: str) -> Path:
        reach.check(self._host.folders, {"Log directory": log_directory})
        return as_path(log_directory, "Log directory")
