"""Files that are whole or not there: written beside their place, synced, then moved onto it.

``os.replace`` is atomic on POSIX and on Windows within one file system, so that neither a full disk nor a
``kill -9`` leaves half a file under the final name.
"""

from __future__ import annotations

import errno
import glob
import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path

from lib_ti.errors import UserError

UNFINISHED = ".writing"
"""Suffix of a file while it is written: one that no program loads, so that none meets half a file."""
_TEMPORARY = re.compile(rf"\..{{1,40}}-[0-9a-f]{{8}}(\.\w+)?{re.escape(UNFINISHED)}")
_ABANDONED_SECONDS = 600


class CannotWrite(UserError):
    """A file could not be written; whatever was under its name before is still there, whole."""


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Make ``path`` by calling ``write`` with a temporary path beside it, and move that onto ``path``.

    The file gets the mode that the umask gives, whatever mode ``write`` leaves it with.

    Parameters
    ----------
    write
        Writes the complete file at the path it is given, which does not have the suffix of ``path``.

    Raises
    ------
    CannotWrite
        With the reason in plain words, when the folder or the disk does not take the file.
    """
    beside = path.with_name(f".{path.stem[:40]}-{secrets.token_hex(4)}{path.suffix}{UNFINISHED}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not by tempfile, whose files only their owner may read: shared folders expect the usual mode, and the umask
        # can only be asked for by changing it for all threads.
        beside.touch(exist_ok=False)
        mode = stat.S_IMODE(beside.stat().st_mode)
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {_reason(error)}.") from error
    try:
        write(beside)
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        # safetensors from 0.8 on puts a file of its own in the place, which only its owner may read.
        beside.chmod(mode)
        os.replace(beside, path)
    except UserError:
        raise
    except Exception as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise CannotWrite(f"{path} cannot be written: {reason}.") from error
    finally:
        beside.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    write_atomically(path, lambda beside: _fill(beside, data))


def write_text(path: Path, text: str) -> None:
    """UTF-8 without a byte-order mark, ``\\n`` line ends."""
    write_bytes(path, text.encode("utf-8"))


def remove_leftovers(path: Path) -> None:
    """Remove the unfinished files that a killed program left beside ``path``."""
    stem = glob.escape(path.stem[:40])
    for ending in (
        f"{path.suffix}{UNFINISHED}",
        f"{UNFINISHED}{path.suffix}",
    ):  # the second: as earlier versions named them
        for left in path.parent.glob(f".{stem}-????????{ending}"):
            left.unlink(missing_ok=True)


def remove_abandoned(folder: Path) -> None:
    """Remove the unfinished files that a killed program left in a folder of this program's own.

    Only those named as :func:`write_atomically` names them, and not changed for longer than a write takes: another
    program may be writing there now.
    """
    before = time.time() - _ABANDONED_SECONDS
    for left in folder.glob(f".*{UNFINISHED}"):
        try:
            if _TEMPORARY.fullmatch(left.name) and left.stat().st_mtime < before:
                left.unlink()
        except OSError:  # its folder may not be written to, or another program has removed it
            continue


def append_text(path: Path, text: str) -> None:
    """Add to the end of a UTF-8 file; the last line may be cut short if this is interrupted.

    Raises
    ------
    CannotWrite
        When the folder or the disk does not take it.
    """
    try:
        with open(path, "a", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {_reason(error)}.") from error


def _fill(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _reason(error: Exception) -> str | None:
    """Why a file could not be written, or ``None`` for an error of another kind."""
    code = getattr(error, "errno", None)
    # PyTorch and safetensors report a full disk as errors of their own, with the system's words in them.
    if code == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error):
        return "the disk is full; free some space and run the same command again"
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "its folder may not be written to; choose another folder or change its permissions"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) if "os error" in str(error) else None
