"""Changes to many captions at once, computed for a preview and then for :meth:`CaptionSet.edit`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lib_ti.prep.captions.caption_set import CaptionSet
from lib_ti.prep.captions.caption_text import tidy
from lib_ti.prep.captions.search import Search

_WORD = re.compile(r"\w+(?:['’-]\w+)*")


@dataclass(frozen=True)
class CaptionChange:
    """One caption before and after an edit."""

    name: str
    before: str
    after: str


def changes(captions: CaptionSet, selection: Iterable[str], change: Callable[[str], str]) -> dict[str, str]:
    """Return the new texts of those images of a selection whose captions a function changes.

    The functions of :mod:`lib_ti.prep.captions.tags` can be used, as in ``lambda text: tags.add(text, "red")``.

    Raises
    ------
    BadInput
        When the set has no image of a given name.
    """
    names = tuple(selection)
    captions.check(names)
    found = {name: change(captions.texts[name]) for name in names}
    return {name: text for name, text in found.items() if text != captions.texts[name]}


def replacements(captions: CaptionSet, selection: Iterable[str], search: Search, by: str) -> dict[str, str]:
    """Return the new texts of those images of a selection in which something is found, tidied after deletions.

    Raises
    ------
    BadInput
        When the search or the replacement is not valid, or the set has no image of a given name.
    """
    replace = search.replacer(by)

    def change(text: str) -> str:
        new = replace(text)
        return text if new == text else tidy(new)

    return changes(captions, selection, change)


def preview(captions: CaptionSet, new: dict[str, str]) -> tuple[CaptionChange, ...]:
    return tuple(CaptionChange(name, captions.texts[name], text) for name, text in new.items())


def find(captions: CaptionSet, search: Search, *, lacking: bool = False) -> tuple[str, ...]:
    """Return the names of the images in whose captions something is found, or, with ``lacking``, is not found.

    Raises
    ------
    BadInput
        When the search is not valid.
    """
    pattern = search.pattern()
    return tuple(name for name, text in captions.texts.items() if bool(pattern.search(text)) != lacking)


def word_frequency(texts: Iterable[str]) -> dict[str, int]:
    """Count the captions with each word, in lower case, the most frequent first."""
    counts = Counter(word for text in texts for word in {found.casefold() for found in _WORD.findall(text)})
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
