"""Names of results: made from a pattern, and never one that is taken, in whatever case or spelling."""

from __future__ import annotations

import itertools
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.folder import CONDITION_LABELS
from lib_ti.data.masks import MASK_LABELS
from lib_ti.embedding.names import check_name, sanitise
from lib_ti.errors import BadInput
from lib_ti.wording import quoted

SUFFIX = ".png"
_LONGEST_STEM = 80
"""Letters of a source's name that are taken over."""


def naming(config: PrepareConfig) -> str:
    """The name pattern with the name in its place.

    Raises
    ------
    BadInput
        When it would give names that are no file names everywhere.
    """
    pattern = config.name_pattern.strip().replace("[name]", config.name.strip())
    sample = pattern.replace("[number]", "001").replace("[stem]", "picture")
    try:
        check_name(sample)
    except BadInput as error:
        raise BadInput(
            f"Names such as {quoted(sample)} are no file names everywhere; begin with a letter or digit, and use "
            "letters, digits, spaces and . _ - only."
        ) from error
    return pattern


class Names:
    """Gives out names that are free; each only once.

    Two names that differ only in case are one, as on Windows and macOS. A name is of a picture, its caption and its
    mask together.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {_folded(Path(name).stem) for name in taken}
        self._numbers: dict[str, int] = defaultdict(lambda: 1)

    def take(self, pattern: str, source: str) -> str:
        """A file name for a result of the file named ``source``, from a pattern of :func:`naming`."""
        filled = pattern.replace("[stem]", _usable(Path(source).stem))
        # Every number below the one at which the last search ended is taken.
        for number in itertools.count(self._numbers[filled]):
            stem = _numbered(filled, number)
            if self._is_free(_folded(stem)):
                self._taken.add(_folded(stem))
                self._numbers[filled] = number + 1
                return stem + SUFFIX
        raise AssertionError("numbers do not end")

    def _is_free(self, stem: str) -> bool:
        # "a-mask.png" beside "a.png" is that one's mask, whoever made it.
        related = (name for label in MASK_LABELS for name in (stem + label, stem.removesuffix(label)))
        return not {stem, *related} & self._taken and not stem.endswith(CONDITION_LABELS)


def _numbered(filled: str, number: int) -> str:
    if "[number]" in filled:
        return filled.replace("[number]", f"{number:03}")
    return filled if number == 1 else f"{filled}_{number}"


def _usable(stem: str) -> str:
    """What of a source's name can be part of a file name everywhere."""
    kept = sanitise(unicodedata.normalize("NFC", stem))[:_LONGEST_STEM].strip(" .") or "picture"
    try:
        return check_name(kept)
    except BadInput:  # reserved on Windows, say
        return f"picture-{kept.replace('..', '.')}"


def _folded(stem: str) -> str:
    return unicodedata.normalize("NFC", stem).casefold()
