"""Numbers, lists and values in sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

MAX_QUOTED = 160
"""Letters of a value that a sentence shows."""
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_WRITTEN_OUT = (1e-9, 1e15)
"""Between these a number is written without an exponent."""


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few of several names, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 image, 2 images."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def file_size(size: float) -> str:
    """A number of bytes in MB or GB, at least 1 MB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"


def precise_size(size: float) -> str:
    """A number of bytes in KB, MB or GB; embeddings have a few KB."""
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3)) if size else 0} KB"


def quoted(value: object) -> str:
    """Return a value as messages show it: text and paths in quotes, on one line, without their middle if too long.

    Backslashes are not doubled, so that a path can be copied from the message. A byte of a file name that is not UTF-8
    is shown as �.
    """
    text = str(value) if isinstance(value, str | Path) else repr(value)
    if len(text) > MAX_QUOTED:
        text = f"{text[: MAX_QUOTED - 30]} … {text[-24:]}"
    text = "".join(sign if sign.isprintable() else _visible(sign) for sign in text)
    if not isinstance(value, str | Path):
        return text
    return f'"{text}"' if "'" in text else f"'{text}'"


def printable(name: str | Path) -> str:
    """Return the name of a file as text that can be displayed and written: a byte that is not UTF-8 becomes �."""
    return str(name).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _visible(sign: str) -> str:
    return "�" if "\udc80" <= sign <= "\udcff" else repr(sign)[1:-1]


def number(value: float) -> str:
    """A number as a person writes it: 4294967295, 0.00001 and -5, not 4.29497e+09, 1e-05 and -5.0."""
    if value and not _WRITTEN_OUT[0] <= abs(value) < _WRITTEN_OUT[1]:  # infinite and undefined ones among them
        return f"{value:g}".replace("e+", "e")
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def without_commas(text: str, *, whole: bool = False) -> str | None:
    """The number that ``text`` means where it has commas, as it is to be written: "0.005" for "0,005".

    Parameters
    ----------
    whole
        Whether a whole number is expected: then commas part its thousands.
    """
    text = text.strip()
    if whole and _THOUSANDS.fullmatch(text):
        return text.replace(",", "")
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else None
