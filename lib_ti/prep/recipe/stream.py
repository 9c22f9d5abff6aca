"""Source pictures through threads to written results, a few at a time, so that memory stays flat."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from lib_ti.data.folder import Skipped
from lib_ti.data.images import UnreadablePicture
from lib_ti.errors import out_of_memory
from lib_ti.ordered_map import ordered_map
from lib_ti.prep.manifest import Result
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe import write_results as results
from lib_ti.prep.recipe.make import Tools, make_all, pixels_to_open, size_to_open
from lib_ti.prep.recipe.plan import Planned
from lib_ti.prep.remove.patches import load_patch
from lib_ti.prep.sources import open_piece

_MOST_PIXELS = 100_000_000
"""Of the pictures that are decoded at one time: with what is cut out of them less than 1 GB of memory.

A larger picture waits until it is alone.
"""


@dataclass
class Outcome:
    """What came of one source picture: its results, sentences about them, and why it could not be used, if so."""

    made: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: Skipped | None = None


class Room:
    """Lets threads in while what they need together is no more than there is."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Wait until there is room for ``size``; whoever needs more than there ever is gets all of it."""
        size = min(size, self._size)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()


def by_source(planned: Sequence[Planned]) -> list[list[Planned]]:
    """Results that come from one picture together, in their order."""
    return [list(group) for _, group in itertools.groupby(planned, key=lambda one: one.wanted.item.digest)]


def make_sources(
    folder: PreparedFolder,
    sources: Sequence[Sequence[Planned]],
    tools: Tools,
    *,
    workers: int,
    stop: Callable[[], bool],
) -> Generator[Outcome, None, None]:
    """Make and write the results of each source; outcomes in the order of the sources.

    Once ``stop`` says so, which is asked between pictures, no new picture is begun, and the outcomes of those that
    were are the last.

    Parameters
    ----------
    workers
        Pictures worked on at once; 0: as many as there are cores.

    Raises
    ------
    CannotWrite
        When the folder or the disk does not take a result.
    """
    room = Room(_MOST_PIXELS)
    return ordered_map(
        lambda source: _make_source(folder, source, tools, room), sources, workers=workers, stop=stop, name="prepare"
    )


def _make_source(folder: PreparedFolder, source: Sequence[Planned], tools: Tools, room: Room) -> Outcome:
    item, outcome = source[0].wanted.item, Outcome()
    try:
        with room.taken(pixels_to_open([one.wanted for one in source])):
            _make_results(folder, source, tools, outcome)
    except UnreadablePicture as error:
        about = "" if error.path == item.path else f"{error.path} cannot be used: "
        outcome.failed = Skipped(item.path, f"{about}{error.reason}", item.name)
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        reason = "there is not enough memory for it; make it smaller, or use Lanczos"
        outcome.failed = Skipped(item.path, reason, item.name)
    return outcome


def _make_results(folder: PreparedFolder, source: Sequence[Planned], tools: Tools, outcome: Outcome) -> None:
    """A function of its own, so that its pictures are gone before others get their room."""
    wanted = [one.wanted for one in source]
    patches = [load_patch(folder, erased) for erased in wanted[0].edits.erased]
    piece = open_piece(wanted[0].item, cover=size_to_open(wanted))
    for planned, made in zip(source, make_all(piece, wanted, patches, tools), strict=True):
        outcome.made.append(results.write(folder, planned, made, outcome.notes.append))
