"""One caption as text: joined, tidied, and freed of words. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CLINGING = ",.;:!?"
"""Signs that follow a word without a space."""


def one_line(text: str) -> str:
    """The text without line breaks, each stretch of space as one space."""
    return " ".join(text.split())


def tidy(text: str) -> str:
    """The text without empty tags, doubled spaces, and spaces before punctuation, as deletions leave them."""
    parts = [one_line(part) for part in text.split(",")]
    return re.sub(r"\s+([.;:!?])", r"\1", ", ".join(part for part in parts if part))


def join(*texts: str) -> str:
    """Captions one after the other, parted by commas unless the one before ends in punctuation."""
    joined = ""
    for text in filter(None, map(one_line, texts)):
        if joined:
            joined += " " if joined[-1] in _CLINGING else ", "
        joined += text
    return joined


def enclose(text: str, prefix: str, suffix: str) -> str:
    """The text between prefix and suffix, parted by spaces only: commas are theirs to have, or not."""
    joined = ""
    for part in filter(None, map(one_line, (prefix, text, suffix))):
        joined += ("" if not joined or part[0] in _CLINGING else " ") + part
    return joined.lstrip(f"{_CLINGING} ")


def listed(text: str) -> tuple[str, ...]:
    """The entries of a list that a person wrote with commas."""
    return tuple(filter(None, map(one_line, text.split(","))))


def without_words(text: str, unwanted: Sequence[str]) -> str:
    """The text without some words or phrases, whatever their case; within words they stay.

    A space stands for an underscore as well, as taggers write it.
    """
    if not unwanted:
        return text
    longest_first = sorted(unwanted, key=len, reverse=True)
    phrases = "|".join(re.escape(phrase).replace(r"\ ", r"[\s_]+") for phrase in longest_first)
    # Not \b: tags may begin or end with other signs than letters, such as ":)".
    found = re.compile(rf"(?<!\w)(?:{phrases})(?!\w)", re.IGNORECASE)
    return tidy(found.sub("", text))
