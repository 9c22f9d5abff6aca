"""Carrying a plan out; the manifest tells at every time how far it came."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace

from lib_ti.atomic import UNFINISHED, remove_leftovers
from lib_ti.config import to_mapping
from lib_ti.config.prepare import LANCZOS
from lib_ti.data.folder import Skipped
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.tools import Tools as HostTools
from lib_ti.lock import locked
from lib_ti.prep.manifest import Manifest, Result, read_manifest, update_manifest
from lib_ti.prep.recipe import write_results as results
from lib_ti.prep.recipe.make import Tools
from lib_ti.prep.recipe.plan import Plan
from lib_ti.prep.recipe.saliency import FaceFinder
from lib_ti.prep.recipe.stream import by_source, make_sources
from lib_ti.prep.recipe.upscale import Enlarger
from lib_ti.wording import counted, quoted

_SAVE_SECONDS = 5.0
"""Between two writings of the manifest."""


@dataclass
class Summary:
    """What a preparation did. ``failed`` are pictures that turned out broken; ``notes`` are full sentences."""

    made: list[Result] = field(default_factory=list)
    unchanged: int = 0
    renamed: int = 0
    removed: int = 0
    failed: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def describe(self) -> tuple[str, ...]:
        """Short sentences that sum up what was done."""
        parts = [
            (len(self.made), "made"),
            (self.unchanged, "unchanged"),
            (self.renamed, "renamed"),
            (self.removed, "moved to .preparation/removed"),
        ]
        told = ", ".join(f"{number} {what}" for number, what in parts if number)
        lines = [f"Results: {told or 'none'}; {self.seconds:.1f} s."]
        if self.failed:
            lines.append(f"{counted(len(self.failed), 'picture')} could not be used.")
        return (*lines, *self.notes)


def run(
    plan: Plan,
    *,
    host_tools: HostTools | None = None,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
    tell: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Make what the plan asks for, and put aside what is not wanted any more.

    Parameters
    ----------
    host_tools
        Lends the upscaler, where another one than Lanczos is asked for and something is to be enlarged.
    progress
        Called with source pictures done and in all, from this thread.
    stop
        Asked between pictures.
    tell
        Called with a sentence while the host loads something.

    Raises
    ------
    BadInput
        When the folder's results are not those that the plan was made for, another preparation of it is running, or
        the upscaler cannot be lent.
    CannotWrite
        When the folder or the disk does not take the results.
    Stopped
        When ``stop`` said so. What was made is in the manifest, and a new plan goes on from there.
    """
    start = time.monotonic()
    summary = Summary()
    busy = f"Another preparation of {plan.folder.path} is running; wait for its end, or stop it."
    with locked(plan.folder.inner / "run.lock", busy=busy):
        if read_manifest(plan.folder).results != plan.before:
            raise BadInput(f"{plan.folder.path} was prepared otherwise since this plan was made; make a new plan.")
        with _enlarger(plan, host_tools, tell) as enlarger:
            _tidy(plan, summary)
            journal = _Journal(plan)
            journal.write()
            try:
                _keep(plan, journal, summary)
                _make(plan, Tools(enlarger, FaceFinder()), journal, summary, progress, stop)
            finally:
                journal.write()
    summary.seconds = time.monotonic() - start
    return summary


class _Journal:
    """The entries of a run's results; each is the earlier or an unmade one until its result is there."""

    def __init__(self, plan: Plan) -> None:
        self._folder = plan.folder
        self._entries = {planned.name: results.begun(planned) for planned in plan.results}
        self._settings = {
            **to_mapping(plan.config),
            "source": str(plan.source.resolve()),
            "output": str(plan.folder.path.resolve()),
        }
        self._written = 0.0

    def add(self, result: Result) -> None:
        self._entries[result.name] = result

    def write(self) -> None:
        update_manifest(self._folder, self._renewed)
        self._written = time.monotonic()

    def write_now_and_then(self) -> None:
        if time.monotonic() - self._written > _SAVE_SECONDS:
            self.write()

    def _renewed(self, manifest: Manifest) -> Manifest:
        return replace(manifest, settings=self._settings, results=tuple(self._entries.values()))


@contextmanager
def _enlarger(plan: Plan, tools: HostTools | None, tell: Callable[[str], None]) -> Iterator[Enlarger]:
    """What enlarges, borrowed where something is to be enlarged by one of the host's upscalers."""
    name = plan.config.upscaler
    if not {one.wanted.upscaler for one in plan.to_make} - {"", LANCZOS}:
        yield Enlarger()
    elif tools is None:
        raise BadInput(f"Upscaler is {quoted(name)}, and nobody lends it here; choose {LANCZOS}.")
    else:
        with tools.upscaler(name, tell) as upscaler:
            yield Enlarger(name, upscaler)


def _tidy(plan: Plan, summary: Summary) -> None:
    """Put aside what is not wanted any more, and give what is its new name."""
    for one in plan.removed:
        moved = [plan.folder.set_aside(path) for path in plan.folder.files(one.name)]
        summary.removed += any(moved)
    for planned in plan.results:
        results.rename(plan.folder, planned)
        summary.renamed += bool(planned.renamed_from)
    if any(plan.folder.path.glob(f".*{UNFINISHED}*")):  # a run was killed
        for planned in plan.to_make:
            for path in plan.folder.files(planned.name):
                remove_leftovers(path)


def _keep(plan: Plan, journal: _Journal, summary: Summary) -> None:
    for planned in plan.results:
        if planned.state == "unchanged":
            journal.add(results.keep(plan.folder, planned))
            summary.unchanged += 1


def _make(
    plan: Plan,
    tools: Tools,
    journal: _Journal,
    summary: Summary,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> None:
    sources = by_source(plan.to_make)
    outcomes = make_sources(plan.folder, sources, tools, workers=plan.config.workers, stop=stop)
    done = 0
    progress(done, len(sources))
    with closing(outcomes):
        for outcome in outcomes:
            for result in outcome.made:
                journal.add(result)
            summary.made += outcome.made
            summary.notes += outcome.notes
            summary.failed += [outcome.failed] if outcome.failed else []
            journal.write_now_and_then()
            done += 1
            progress(done, len(sources))
    if done < len(sources):
        raise Stopped(
            f"Preparing was stopped after {done} of {counted(len(sources), 'picture')}; what was made is kept, and "
            "the same command continues from there."
        )
