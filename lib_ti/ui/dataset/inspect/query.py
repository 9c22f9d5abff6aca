"""Requests of a page, and the words of its search: each an issue, a state, a group, or a part of a name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_ti.config import InspectConfig

if TYPE_CHECKING:
    from lib_ti.ui.dataset.inspect.state import ListedImage

GALLERY, TABLE, SIDE_BY_SIDE = "Gallery", "Table", "Side by side"
LAYOUTS = (GALLERY, TABLE, SIDE_BY_SIDE)

Test = Callable[["ListedImage"], bool]

_ISSUES = {
    "blurry": "blurry",
    "motion_blur": "motion blur",
    "soft": "soft pixels",
    "noise": "noise",
    "jpeg_blocks": "JPEG blocks",
    "text": "text",
    "dark": "dark",
    "bright": "too bright",
    "low_contrast": "low contrast",
    "small": "too small",
    "mirrored": "mirrored",
    "transparent": "transparent",
    "several_frames": "several frames",
}
"""Words for the kinds of issues; near-duplicates are found by their group, which also contains the best of them."""


def _has(kind: str) -> Test:
    return lambda image: image.inspected.has(kind)


WORDS: Mapping[str, Mapping[str, Test]] = {
    "verdict": {
        "good": lambda image: image.inspected.good,
        "not good": lambda image: not image.inspected.good,
        "to fix": lambda image: image.inspected.good and image.inspected.needs_fix,
    },
    "state": {
        "in use": lambda image: image.in_use,
        "excluded": lambda image: image.excluded,
    },
    "kind": {
        "near-duplicates": lambda image: bool(image.inspected.group),
        **{word: _has(kind) for kind, word in _ISSUES.items()},
        "no caption": lambda image: not image.inspected.measured.has_caption,
    },
}
"""Search words by their sort: an image matches if it matches one word of each sort in the search."""
_SORTS = {word.casefold(): sort for sort, words in WORDS.items() for word in words}
_TESTS = {word.casefold(): test for words in WORDS.values() for word, test in words.items()}
_GROUP = re.compile(r"group (\d+)")


@dataclass(frozen=True)
class ListRequest:
    """The fields of a page: thresholds, folders, layout, order, and the text of the search."""

    config: InspectConfig
    source: str
    output: str
    layout: str
    order: str
    find: str


@dataclass(frozen=True)
class Query:
    """The comma-separated words of a search."""

    terms: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Query:
        terms = (" ".join(term.split()) for term in text.split(","))
        return cls(tuple(dict.fromkeys(term for term in terms if term)))

    def __str__(self) -> str:
        return ", ".join(self.terms)

    def has(self, word: str) -> bool:
        return word.casefold() in (term.casefold() for term in self.terms)

    def toggled(self, word: str) -> Query:
        """Return the search with that word added, or removed if it has it."""
        if self.has(word):
            return Query(tuple(term for term in self.terms if term.casefold() != word.casefold()))
        return Query((*self.terms, word))

    def filter(self, images: Iterable[ListedImage]) -> list[ListedImage]:
        """Return the matching images in their order."""
        tests: dict[str, list[Test]] = defaultdict(list)
        for term in self.terms:
            sort, test = _sort_and_test(term.casefold())
            tests[sort].append(test)
        return [image for image in images if all(any(test(image) for test in some) for some in tests.values())]


def counts(images: Sequence[ListedImage]) -> dict[str, int]:
    """Return the number of images that match each word by itself."""
    return {word: sum(map(test, images)) for words in WORDS.values() for word, test in words.items()}


def _sort_and_test(term: str) -> tuple[str, Test]:
    if term in _TESTS:
        return _SORTS[term], _TESTS[term]
    if group := _GROUP.fullmatch(term):
        number = int(group[1])
        return "group", lambda image: image.inspected.group == number
    return "name", lambda image: term in image.name.casefold()
