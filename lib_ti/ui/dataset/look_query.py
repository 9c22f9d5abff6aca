"""What a page asks to see, and the words of its search: each a badge, a state, a group, or a part of a name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_ti.config import InspectConfig

if TYPE_CHECKING:
    from lib_ti.ui.dataset.look_work import Seen

GALLERY, TABLE, BESIDE = "Gallery", "Table", "Side by side"
LAYOUTS = (GALLERY, TABLE, BESIDE)

Test = Callable[["Seen"], bool]

_BADGES = {
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
"""Words for the kinds of badges; near-duplicates are found by their group, which has the best of them in it too."""


def _has(kind: str) -> Test:
    return lambda seen: seen.judged.has(kind)


WORDS: Mapping[str, Mapping[str, Test]] = {
    "verdict": {
        "good": lambda seen: seen.judged.good,
        "not good": lambda seen: not seen.judged.good,
        "to fix": lambda seen: seen.judged.good and seen.judged.needs_fix,
    },
    "state": {
        "in use": lambda seen: seen.in_use,
        "excluded": lambda seen: seen.excluded,
    },
    "kind": {
        "near-duplicates": lambda seen: bool(seen.judged.group),
        **{word: _has(kind) for kind, word in _BADGES.items()},
        "no caption": lambda seen: not seen.judged.measured.has_caption,
    },
}
"""What can be asked for, in sorts: pictures fit one word of each sort that is named."""
_SORTS = {word.casefold(): sort for sort, words in WORDS.items() for word in words}
_TESTS = {word.casefold(): test for words in WORDS.values() for word, test in words.items()}
_GROUP = re.compile(r"group (\d+)")


@dataclass(frozen=True)
class Asked:
    """The fields of a page: thresholds, folders, the layout, the order, and the text of the search."""

    config: InspectConfig
    source: str
    output: str
    layout: str
    order: str
    find: str


@dataclass(frozen=True)
class Query:
    """The words of a search, which have commas between them."""

    terms: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Query:
        terms = (" ".join(term.split()) for term in text.split(","))
        return cls(tuple(dict.fromkeys(term for term in terms if term)))

    def __str__(self) -> str:
        return ", ".join(self.terms)

    def has(self, word: str) -> bool:
        return word.casefold() in (term.casefold() for term in self.terms)

    def turned(self, word: str) -> Query:
        """The search with that word, or without it where it had it."""
        if self.has(word):
            return Query(tuple(term for term in self.terms if term.casefold() != word.casefold()))
        return Query((*self.terms, word))

    def pick(self, pictures: Iterable[Seen]) -> list[Seen]:
        """The pictures that fit, in their order: a word of each sort that is asked for."""
        tests: dict[str, list[Test]] = defaultdict(list)
        for term in self.terms:
            sort, test = _meant(term.casefold())
            tests[sort].append(test)
        return [seen for seen in pictures if all(any(test(seen) for test in some) for some in tests.values())]


def counts(pictures: Sequence[Seen]) -> dict[str, int]:
    """How many pictures fit each word by itself, for all words."""
    return {word: sum(map(test, pictures)) for words in WORDS.values() for word, test in words.items()}


def _meant(term: str) -> tuple[str, Test]:
    """What sort of word it is, and what fits it."""
    if term in _TESTS:
        return _SORTS[term], _TESTS[term]
    if group := _GROUP.fullmatch(term):
        number = int(group[1])
        return "group", lambda seen: seen.judged.group == number
    return "name", lambda seen: term in seen.name.casefold()
