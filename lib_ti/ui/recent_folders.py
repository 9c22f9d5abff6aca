"""The folders that were used last, on any page, kept over restarts."""

from __future__ import annotations

import threading
from pathlib import Path

from lib_ti.data import preparations
from lib_ti.errors import BadInput
from lib_ti.host.base import Folders
from lib_ti.paths import absolute, as_path, is_folder, path_text, resolved
from lib_ti.storage.atomic import CannotWrite, write_text
from lib_ti.ui import reach

MOST = 10
"""Folders that are kept."""
_NAME = "recent-folders.txt"
"""A text file with a folder in each line, the one that was used last first."""
_LOCK = threading.Lock()


def remember(folders: Folders, folder: Path | str) -> None:
    """Put a folder at the beginning of the list, where it exists, is allowed, and a field can hold its path.

    A list that cannot be written is ignored: it only saves typing.
    """
    try:
        path = absolute(as_path(str(folder)))
    except BadInput:
        return
    if not can_be_entered(path) or not reach.is_allowed(folders, path) or not is_folder(path):
        return
    with _LOCK:
        others = [one for one in _read() if resolved(one) != resolved(path) and is_folder(one)]
        try:
            write_text(_file(), "".join(f"{one}\n" for one in [path, *others][:MOST]))
        except (CannotWrite, OSError):
            return


def recent(folders: Folders) -> list[str]:
    """Return the folders of the list that exist and that this server allows, the one that was used last first."""
    return [str(one) for one in _read() if is_folder(one) and reach.is_allowed(folders, one)]


def can_be_entered(path: Path) -> bool:
    """Whether a field of a page can hold a path: in UTF-8, on one line, and without a space at its end."""
    text = str(path)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return path_text(text) == text and len(text.splitlines()) == 1


def _file() -> Path:
    return preparations.NOTES / _NAME


def _read() -> list[Path]:
    try:
        lines = _file().read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [Path(line) for line in lines if line][:MOST]
