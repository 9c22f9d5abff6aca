"""Names of results: made from a template, and unique, whatever their case or Unicode form."""

from __future__ import annotations

import itertools
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.beside.companions import MASK_LABELS
from lib_ti.data.folder import CONDITION_LABELS
from lib_ti.embedding.names import check_name, sanitise
from lib_ti.errors import BadInput
from lib_ti.wording import quoted

SUFFIX = ".png"
_LONGEST_STEM = 80
"""Most letters of a source's name that become part of a result's."""


def name_template(config: PrepareConfig) -> str:
    """Return the name pattern of the settings with the name filled in.

    Raises
    ------
    BadInput
        When it would give names that are not valid file names on every system.
    """
    template = config.name_pattern.strip().replace("[name]", config.name.strip())
    sample = template.replace("[number]", "001").replace("[stem]", "image")
    try:
        check_name(sample)
    except BadInput as error:
        raise BadInput(
            f"Names such as {quoted(sample)} are not valid file names on every system; begin with a letter or "
            "digit, and use letters, digits, spaces and . _ - only."
        ) from error
    return template


class ResultNames:
    """Source of free names; each is given out once.

    Two names that differ only in case are the same, as on Windows and macOS. A name belongs to an image, its caption
    and its mask together.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {_folded(Path(name).stem) for name in taken}
        self._numbers: dict[str, int] = defaultdict(lambda: 1)

    def take(self, template: str, source: str) -> str:
        """Return a file name for a result of the file ``source``, from a template of :func:`name_template`."""
        filled = template.replace("[stem]", _usable(Path(source).stem))
        # Every number below the one at which the last search ended is taken.
        for number in itertools.count(self._numbers[filled]):
            stem = _numbered(filled, number)
            if self._is_free(_folded(stem)):
                self._taken.add(_folded(stem))
                self._numbers[filled] = number + 1
                return stem + SUFFIX
        raise AssertionError("numbers do not end")

    def _is_free(self, stem: str) -> bool:
        # "a-mask.png" beside "a.png" counts as the mask of "a.png".
        related = (name for label in MASK_LABELS for name in (stem + label, stem.removesuffix(label)))
        return not {stem, *related} & self._taken and not stem.endswith(CONDITION_LABELS)


def _numbered(filled: str, number: int) -> str:
    if "[number]" in filled:
        return filled.replace("[number]", f"{number:03}")
    return filled if number == 1 else f"{filled}_{number}"


def _usable(stem: str) -> str:
    """Return the part of a source's name that is valid in file names on every system."""
    kept = sanitise(unicodedata.normalize("NFC", stem))[:_LONGEST_STEM].strip(" .") or "image"
    try:
        return check_name(kept)
    except BadInput:  # such as those that Windows reserves
        return f"image-{kept.replace('..', '.')}"


def _folded(stem: str) -> str:
    return unicodedata.normalize("NFC", stem).casefold()
