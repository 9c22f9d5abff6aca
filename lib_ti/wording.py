"""Numbers, lists and values in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

MAX_QUOTED = 160
"""Letters of a value that a sentence shows."""


def some(names: Sequence[str], most: int = 5) -> str:
    """The first few of several names, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 picture, 2 pictures."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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


def _visible(sign: str) -> str:
    return "�" if "\udc80" <= sign <= "\udcff" else repr(sign)[1:-1]
