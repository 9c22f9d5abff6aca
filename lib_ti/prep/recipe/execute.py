"""Carry out a plan; the manifest records at any time how far it got."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

from lib_ti.config import to_mapping
from lib_ti.config.prepare import LANCZOS
from lib_ti.data.folder import Skipped
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.tools import Report, Tools
from lib_ti.prep.manifest import Manifest, Result, read_manifest, update_manifest
from lib_ti.prep.recipe import write_results
from lib_ti.prep.recipe.make import RenderTools
from lib_ti.prep.recipe.plan import Plan
from lib_ti.prep.recipe.saliency import FaceDetector
from lib_ti.prep.recipe.stream import group_by_source, make_sources
from lib_ti.prep.recipe.upscale import ImageUpscaler
from lib_ti.storage.atomic import UNFINISHED, remove_leftovers
from lib_ti.storage.lock import locked
from lib_ti.wording import counted, quoted

_SAVE_SECONDS = 5.0
"""Time between two writings of the manifest."""


@dataclass
class PreparationSummary:
    """Counts and notes of a preparation. ``failed`` are images that could not be used; ``notes`` are full sentences."""

    made: list[Result] = field(default_factory=list)
    unchanged: int = 0
    renamed: int = 0
    removed: int = 0
    failed: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def describe(self) -> tuple[str, ...]:
        """Return short sentences that summarize what was done."""
        counts = [
            (len(self.made), "made"),
            (self.unchanged, "unchanged"),
            (self.renamed, "renamed"),
            (self.removed, "moved to .preparation/removed"),
        ]
        summary = ", ".join(f"{number} {what}" for number, what in counts if number)
        lines = [f"Results: {summary or 'none'}; {self.seconds:.1f} s."]
        if self.failed:
            lines.append(f"{counted(len(self.failed), 'image')} could not be used.")
        return (*lines, *self.notes)


def execute_plan(
    plan: Plan,
    *,
    tools: Tools | None = None,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
    report: Report = lambda _: None,
) -> PreparationSummary:
    """Make the results of a plan, and set aside those that are no longer needed.

    Parameters
    ----------
    tools
        The host's, which provide the upscaler, where results are upscaled by another one than Lanczos.
    progress
        Called from this thread with the number of source images that are done, and of all.
    stop
        Asked between images.
    report
        Called with a sentence while the host loads something.

    Raises
    ------
    BadInput
        When the folder's results are not those that the plan was made for, another preparation of it is running, or
        there is no such upscaler.
    CannotWrite
        When the folder or the disk does not accept the results.
    Stopped
        When ``stop`` returned true. Finished results are in the manifest, and a new plan continues from there.
    """
    start = time.monotonic()
    summary = PreparationSummary()
    busy = f"Another preparation of {plan.folder.path} is running: wait until it has ended, or stop it."
    with locked(plan.folder.inner / "run.lock", busy=busy):
        if read_manifest(plan.folder).results != plan.before:
            raise BadInput(f"The results in {plan.folder.path} have changed since this plan was made; make a new plan.")
        with _acquire_upscaler(plan, tools, report) as upscaler:
            _tidy(plan, summary)
            journal = _Journal(plan)
            journal.write()
            try:
                _keep_unchanged(plan, journal, summary)
                _make(plan, RenderTools(upscaler, FaceDetector()), journal, summary, progress, stop)
            finally:
                journal.write()
    summary.seconds = time.monotonic() - start
    return summary


class _Journal:
    """The manifest's entries of this preparation; each is the earlier or an initial one until its result is made."""

    def __init__(self, plan: Plan) -> None:
        self._folder = plan.folder
        self._entries = {planned.name: write_results.initial_result(planned) for planned in plan.results}
        self._settings = {
            **to_mapping(plan.config),
            "source": str(plan.source.resolve()),
            "output": str(plan.folder.path.resolve()),
        }
        self._written = 0.0

    def add(self, result: Result) -> None:
        self._entries[result.name] = result

    def write(self) -> None:
        update_manifest(self._folder, self._updated)
        self._written = time.monotonic()

    def write_if_due(self) -> None:
        if time.monotonic() - self._written > _SAVE_SECONDS:
            self.write()

    def _updated(self, manifest: Manifest) -> Manifest:
        return replace(manifest, settings=self._settings, results=tuple(self._entries.values()))


@contextmanager
def _acquire_upscaler(plan: Plan, tools: Tools | None, report: Report) -> Iterator[ImageUpscaler]:
    """Yield the upscaler; the host's is only loaded where a result needs it."""
    name = plan.config.upscaler
    if not {one.spec.upscaler for one in plan.to_make} - {"", LANCZOS}:
        yield ImageUpscaler()
    elif tools is None:
        raise BadInput(f"Upscaler is {quoted(name)}, which is not available here; choose {LANCZOS}.")
    else:
        with tools.upscaler(name, report) as upscaler:
            yield ImageUpscaler(name, upscaler)


def _tidy(plan: Plan, summary: PreparationSummary) -> None:
    """Set aside results that are no longer needed, and rename others."""
    for one in plan.removed:
        moved = [plan.folder.set_aside(path) for path in plan.folder.files(one.name)]
        summary.removed += any(moved)
    for planned in plan.results:
        write_results.rename(plan.folder, planned)
        summary.renamed += bool(planned.renamed_from)
    if any(plan.folder.path.glob(f".*{UNFINISHED}*")):  # a preparation was killed
        for planned in plan.to_make:
            for path in plan.folder.files(planned.name):
                remove_leftovers(path)


def _keep_unchanged(plan: Plan, journal: _Journal, summary: PreparationSummary) -> None:
    for planned in plan.results:
        if planned.state == "unchanged":
            journal.add(write_results.keep_unchanged(plan.folder, planned))
            summary.unchanged += 1


def _make(
    plan: Plan,
    render_tools: RenderTools,
    journal: _Journal,
    summary: PreparationSummary,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> None:
    sources = group_by_source(plan.to_make)
    outcomes = make_sources(plan.folder, sources, render_tools, workers=plan.config.workers, stop=stop)
    done = 0
    progress(done, len(sources))
    with closing(outcomes):
        for outcome in outcomes:
            for result in outcome.results:
                journal.add(result)
            summary.made += outcome.results
            summary.notes += outcome.notes
            summary.failed += [outcome.failed] if outcome.failed else []
            journal.write_if_due()
            done += 1
            progress(done, len(sources))
    if done < len(sources):
        raise Stopped(
            f"Preparing was stopped after {done} of {counted(len(sources), 'image')}; the results so far are kept. "
            "Prepare again to continue from there."
        )
