"""A caption as a list of tags, parted by commas: added, removed, put in order. Pure functions on one caption.

Two tags are the same when they differ in upper and lower case only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from lib_ti.prep.captions.caption_text import listed

Place = Literal["front", "back"]


def split(text: str) -> tuple[str, ...]:
    """The tags of a caption; a sentence without commas is one tag."""
    return listed(text)


def join(tags: Iterable[str]) -> str:
    return ", ".join(tags)


def add(text: str, tags: str, place: Place = "back") -> str:
    """The caption with those of ``tags`` that it lacks."""
    own = split(text)
    has = _keys(own)
    new = _distinct(tag for tag in split(tags) if _key(tag) not in has)
    return join((*new, *own) if place == "front" else (*own, *new))


def remove(text: str, tags: str) -> str:
    unwanted = _keys(split(tags))
    return join(tag for tag in split(text) if _key(tag) not in unwanted)


def move(text: str, tags: str, place: Place) -> str:
    """The caption with those of ``tags`` that it has at one end, in the order in which ``tags`` has them."""
    own = split(text)
    ranks = {key: rank for rank, key in enumerate(map(_key, split(tags)))}
    moved = sorted((tag for tag in own if _key(tag) in ranks), key=lambda tag: ranks[_key(tag)])
    rest = [tag for tag in own if _key(tag) not in ranks]
    return join((*moved, *rest) if place == "front" else (*rest, *moved))


def deduplicate(text: str) -> str:
    """The caption with each tag at its first place only."""
    return join(_distinct(split(text)))


def sort(text: str, counts: Mapping[str, int] | None = None) -> str:
    """The tags in alphabetical order; with ``counts`` (see :func:`frequency`) the most frequent ones first."""
    ranks = {_key(tag): count for tag, count in (counts or {}).items()}
    return join(sorted(split(text), key=lambda tag: (-ranks.get(_key(tag), 0), _key(tag))))


def frequency(texts: Iterable[str]) -> dict[str, int]:
    """In how many captions each tag is, the most frequent first; each spelled as it mostly is."""
    spellings: dict[str, Counter[str]] = {}
    for text in texts:
        for tag in _distinct(split(text)):
            spellings.setdefault(_key(tag), Counter())[tag] += 1
    counts = {spelling.most_common(1)[0][0]: spelling.total() for spelling in spellings.values()}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], _key(item[0]))))


def _key(tag: str) -> str:
    return tag.casefold()


def _keys(tags: Iterable[str]) -> set[str]:
    return {_key(tag) for tag in tags}


def _distinct(tags: Iterable[str]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for tag in tags:
        first.setdefault(_key(tag), tag)
    return tuple(first.values())
