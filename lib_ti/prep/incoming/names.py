"""File names of what is brought in: one folder without sub-folders, captions and masks still beside their image."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from lib_ti.data.beside.captions import JSON_ENDING, TEXT_ENDINGS
from lib_ti.data.beside.metadata import FILES
from lib_ti.data.images.formats import has_image_suffix
from lib_ti.errors import BadInput
from lib_ti.paths import path_problem
from lib_ti.wording import quoted, some

_FOREIGN = frozenset({"__MACOSX"})
"""Folders that systems put into zips."""


def refusal(parts: Sequence[str]) -> str:
    """Return why a file is not brought in, as the end of a sentence that begins with its name; empty where it is."""
    name = parts[-1]
    if name.startswith(".") or _FOREIGN & set(parts):
        return "it is a hidden file of the system"
    if path_problem(name) or any(sign in name for sign in _FORBIDDEN):
        return "a file cannot have this name here; rename it"
    suffix = Path(name).suffix.lower()
    if suffix == ".zip":
        return "it is a zip in a zip; unpack it first"
    described = suffix in (*TEXT_ENDINGS, JSON_ENDING) or name.lower() in FILES
    return "" if described or has_image_suffix(Path(name)) else "it is neither an image nor a caption"


_FORBIDDEN = '<>:"|?*' if os.name == "nt" else "\0"


def target_names(paths: Sequence[Sequence[str]]) -> list[str]:
    """Return a file name for each path; those of sub-folders begin with the folder's name where names would collide.

    Parameters
    ----------
    paths
        Folders, then the file name. A folder that all have in common does not count.

    Raises
    ------
    BadInput
        When two files would have one name on a disk that does not tell upper from lower case.
    """
    common = _common_folders([parts[:-1] for parts in paths])
    plain = [parts[-1] for parts in paths]
    if not _twice(plain):
        return plain
    joined = ["_".join(parts[common:]) for parts in paths]
    if twice := _twice(joined):
        raise BadInput(f"Several files have one name, in any letter case: {some(twice)}. Rename them.")
    return joined


def _common_folders(folders: Sequence[Sequence[str]]) -> int:
    """Return how many folders at the beginning all paths have in common."""
    return sum(1 for _ in takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False)))


def _twice(names: Sequence[str]) -> list[str]:
    times = Counter(name.casefold() for name in names)
    return [quoted(name) for name in names if times[name.casefold()] > 1]
