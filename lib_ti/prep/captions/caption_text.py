"""Text of one caption: joining, tidying, and removing words. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PUNCTUATION = ",.;:!?"
"""Punctuation that follows a word without a space."""


def one_line(text: str) -> str:
    """Replace line breaks and runs of spaces by one space."""
    return " ".join(text.split())


def tidy(text: str) -> str:
    """Remove the empty tags, double spaces, and spaces before punctuation that deletions leave."""
    parts = [one_line(part) for part in text.split(",")]
    return re.sub(r"\s+([.;:!?])", r"\1", ", ".join(part for part in parts if part))


def join(*texts: str) -> str:
    """Join captions by commas, or by a space where one ends in punctuation."""
    joined = ""
    for text in filter(None, map(one_line, texts)):
        if joined:
            joined += " " if joined[-1] in _PUNCTUATION else ", "
        joined += text
    return joined


def enclose(text: str, prefix: str, suffix: str) -> str:
    """Put a text between prefix and suffix, separated by spaces only; they may bring commas themselves."""
    joined = ""
    for part in filter(None, map(one_line, (prefix, text, suffix))):
        joined += ("" if not joined or part[0] in _PUNCTUATION else " ") + part
    return joined.lstrip(f"{_PUNCTUATION} ")


def comma_separated(text: str) -> tuple[str, ...]:
    """Return the entries of a comma-separated list."""
    return tuple(filter(None, map(one_line, text.split(","))))


def without_words(text: str, unwanted: Sequence[str]) -> str:
    """Remove words or phrases, ignoring case; parts of longer words stay.

    A space also matches an underscore, as taggers write it.
    """
    if not unwanted:
        return text
    longest_first = sorted(unwanted, key=len, reverse=True)
    phrases = "|".join(re.escape(phrase).replace(r"\ ", r"[\s_]+") for phrase in longest_first)
    # Not \b: tags may begin or end with other characters than letters, such as ":)".
    found = re.compile(rf"(?<!\w)(?:{phrases})(?!\w)", re.IGNORECASE)
    return tidy(found.sub("", text))
