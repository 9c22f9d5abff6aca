"""A caption as a comma-separated list of tags: adding, removing, sorting. Pure functions on one caption.

Tags that differ only in case are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

from lib_ti.prep.captions.caption_text import comma_separated

Place = Literal["front", "back"]


def split(text: str) -> tuple[str, ...]:
    """Return the tags of a caption; a sentence without commas is one tag."""
    return comma_separated(text)


def join(tags: Iterable[str]) -> str:
    return ", ".join(tags)


def add(text: str, tags: str, place: Place = "back") -> str:
    """Add those of ``tags`` that the caption lacks."""
    own = split(text)
    present = _keys(own)
    new = _distinct(tag for tag in split(tags) if _key(tag) not in present)
    return join((*new, *own) if place == "front" else (*own, *new))


def remove(text: str, tags: str) -> str:
    unwanted = _keys(split(tags))
    return join(tag for tag in split(text) if _key(tag) not in unwanted)


def move(text: str, tags: str, place: Place) -> str:
    """Move those of ``tags`` that the caption has to one end, in the order of ``tags``."""
    own = split(text)
    ranks = {key: rank for rank, key in enumerate(map(_key, split(tags)))}
    moved = sorted((tag for tag in own if _key(tag) in ranks), key=lambda tag: ranks[_key(tag)])
    rest = [tag for tag in own if _key(tag) not in ranks]
    return join((*moved, *rest) if place == "front" else (*rest, *moved))


def deduplicate(text: str) -> str:
    """Keep only the first occurrence of each tag."""
    return join(_distinct(split(text)))


def sort(text: str, counts: Mapping[str, int] | None = None) -> str:
    """Sort the tags alphabetically; with ``counts`` (see :func:`frequency`) the most frequent ones first."""
    ranks = {_key(tag): count for tag, count in (counts or {}).items()}
    return join(sorted(split(text), key=lambda tag: (-ranks.get(_key(tag), 0), _key(tag))))


def frequency(texts: Iterable[str]) -> dict[str, int]:
    """Count the captions with each tag, the most frequent first; each in its most frequent spelling."""
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
