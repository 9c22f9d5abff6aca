"""Paths as people write and paste them, read by one rule in every field, option and settings file; and their order."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from lib_ti.errors import BadInput, reason
from lib_ti.wording import quoted

_QUOTES = ('""', "''", "“”", "‘’")
_MAX_PATH, _MAX_PART = 4095, 255
"""Bytes that Linux takes for a path and for each name in it; no other system takes more."""


def path_text(text: str) -> str:
    """Return a pasted path without what surrounds it: outer spaces, quotes, ``file://``; ``~`` is the home folder.

    Nothing is looked up on the disk. Text that is already a path is returned unchanged.
    """
    text = text.strip()
    while len(text) > 1 and text[0] + text[-1] in _QUOTES:
        text = text[1:-1].strip()
    if text.lower().startswith("file://"):
        address = urlsplit(text)
        host = "" if address.netloc in ("", "localhost") else f"//{address.netloc}"
        # A "?" or "#" in a file name need not be encoded by whoever wrote the address.
        rest = address.path + (f"?{address.query}" if address.query else "")
        rest += f"#{address.fragment}" if address.fragment else ""
        text = host + (url2pathname(rest) if os.name == "nt" else unquote(rest, errors="surrogateescape"))
    return _with_home(text)


def as_path(text: str, label: str = "The path") -> Path:
    """Return the path that a text names.

    Raises
    ------
    BadInput
        When it is empty, or no file can have that name; the sentence begins with ``label``.
    """
    text = path_text(text)
    if found := path_problem(text) if text else "is empty; give a path.":
        raise BadInput(f"{label} {found}")
    return Path(text)


def path_problem(text: str) -> str | None:
    """Return why no file can have this path, as a sentence without its subject, or None."""
    try:
        parts = [len(os.fsencode(part)) for part in re.split(r"[/\\]" if os.name == "nt" else "/", text)]
    except UnicodeEncodeError:
        return f"is {quoted(text)}, with a character that no file name can have; check the path."
    if "\0" in text:
        return f"is {quoted(text)}, with a character that no file name can have; check the path."
    if sum(parts) + len(parts) - 1 > _MAX_PATH or max(parts) > _MAX_PART:
        return (
            f"is {quoted(text)}, {len(text)} characters long; a path has at most {_MAX_PATH}, and each name in it "
            f"{_MAX_PART}. Check the path."
        )
    return None


def folder_problem(folder: Path, *, missing_ok: bool = False) -> str | None:
    """Return why a folder cannot be read, as a sentence without its subject, or None."""
    try:
        with os.scandir(folder):
            return None
    except FileNotFoundError:
        return None if missing_ok else f"{quoted(folder)} does not exist; check its path."
    except NotADirectoryError:
        return (
            f"{quoted(folder)} is a file; give a folder." if _is_file(folder) else f"{quoted(folder)} is below a file."
        )
    except OSError as error:
        return f"{quoted(folder)} cannot be read: {reason(error)}."


def is_folder(path: Path) -> bool:
    """Whether there is a folder at a path; false also where that cannot be found out."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def absolute(path: Path) -> Path:
    """Return the path from its root; links in it stay, unless there is a ``..``, which may follow one."""
    return resolved(path) if ".." in path.parts else path.absolute()


def resolved(path: Path) -> Path:
    """Return the absolute path with links followed as far as they lead; one that leads in a circle is no error."""
    return Path(os.path.realpath(path))


def _with_home(text: str) -> str:
    try:
        return str(Path(text).expanduser()) if text.startswith("~") else text
    except RuntimeError:  # "~name" of nobody here
        return text


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """Return a sort key by file name that puts "2.png" before "10.png"."""
    # Text and numbers alternate, beginning with text, so that like is compared with like.
    parts = re.split(r"(\d+)", path.name.casefold())
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], path.name
