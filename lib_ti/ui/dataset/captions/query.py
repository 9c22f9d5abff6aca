"""Queries of the caption list, and moving through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_ti.errors import BadInput
from lib_ti.lazy import lazy
from lib_ti.prep.captions.search import Search
from lib_ti.wording import printable, quoted

if TYPE_CHECKING:
    from lib_ti.prep.captions import bulk_edits
    from lib_ti.prep.captions.caption_set import CaptionSet
else:
    bulk_edits = lazy("lib_ti.prep.captions.bulk_edits")

ALL, UNSAVED, EMPTY, LONG, NO_FILE = "all", "not saved", "empty", "too long", "only a file name"
SHOWN = (ALL, UNSAVED, EMPTY, LONG, NO_FILE)


@dataclass(frozen=True)
class Query:
    """A search of a page; without words it finds all images.

    ``lacking`` finds the images whose captions do not match; ``shown`` is one of :data:`SHOWN`.
    """

    search: Search
    lacking: bool = False
    shown: str = ALL

    def names(self, captions: CaptionSet, is_long: Callable[[str], bool]) -> tuple[str, ...]:
        """Return the names of the matching images, in the order of the folder.

        Raises
        ------
        BadInput
            When the search is not a valid regular expression.
        """
        found: Iterable[str] = captions.texts
        if self.search.words.strip():
            found = bulk_edits.find(captions, self.search, lacking=self.lacking)
        unsaved = set(captions.changed)
        is_shown: dict[str, Callable[[str], bool]] = {
            UNSAVED: lambda name: name in unsaved,
            EMPTY: lambda name: not captions.texts[name].strip(),
            LONG: lambda name: is_long(captions.texts[name]),
            NO_FILE: lambda name: captions.on_disk[name].source == "name",
        }
        fits = is_shown.get(self.shown)
        return tuple(found if fits is None else filter(fits, found))


def neighbor(captions: CaptionSet, listed: Sequence[str], name: str, step: int) -> str:
    """Return the listed image after one (``step`` 1) or before it (-1), which need not be listed itself; the same one
    where there is no other."""
    order = {other: place for place, other in enumerate(captions.texts)}
    here = order.get(name, -1)
    if step > 0:
        return next((other for other in listed if order[other] > here), name)
    return next((other for other in reversed(listed) if order[other] < here), name)


def named(captions: CaptionSet, listed: Sequence[str], text: str) -> str:
    """Return the image with a name, with or without suffix, or with a number in the list.

    Raises
    ------
    BadInput
        When there is none.
    """
    text = text.strip()
    if text in captions.texts:
        return text
    displayed = next((name for name in captions.texts if printable(name) == text), None)
    if displayed is not None:
        return displayed
    if text.isdecimal() and 1 <= int(text) <= len(listed):
        return listed[int(text) - 1]
    stems = [name for name in captions.texts if name.rpartition(".")[0].casefold() == text.casefold()]
    if not stems:
        raise BadInput(f"There is no image {quoted(text)}; enter a number from 1 to {len(listed)}, or a file name.")
    return stems[0]
