"""Locks between programs, which the system lifts when their holder ends, however it ends.

The only file locks of lib_ti. The library ``filelock``, which torch brings along, does not do this job: its version
3.13, of the time of WebUI 1.10.1, truncates the file, and with it the holder's note, whenever another program tries the
lock; no version can ask who holds a lock without creating its file; and on network file systems without locks it fails,
where :data:`_NO_LOCKS` lets the only program there is work.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

from lib_ti.errors import BadInput
from lib_ti.storage.atomic import CannotWrite

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
"""Errors of file systems without locks; there, nobody is kept out."""
_PATIENCE = 0.02
"""Seconds between two tries."""
_TRIES = 10
"""Of :func:`reserved`, since :func:`holder` takes a lock for a moment to find out who has it."""


class Held(Exception):
    """Someone else holds a lock; ``note`` is what they wrote into its file, perhaps nothing yet."""

    def __init__(self, note: str) -> None:
        self.note = note
        super().__init__(note)


@contextmanager
def locked(path: Path, *, busy: str = "") -> Iterator[None]:
    """Hold the lock of the file at ``path``, which is created if it is missing, and stays.

    Parameters
    ----------
    busy
        The error's sentence where someone else holds it. Empty: wait for it.

    Raises
    ------
    BadInput
        ``busy``.
    CannotWrite
        When the file cannot be created.
    """
    with _opened(path) as file:
        while not _taken(file):
            if busy:
                raise BadInput(busy)
            time.sleep(_PATIENCE)
        yield  # closing the file lifts the lock


@contextmanager
def reserved(path: Path, note: str) -> Iterator[None]:
    """Hold the lock of the file at ``path``, which has a note for others in it and is removed with the lock.

    A file that a killed program left behind is taken over. Folders that are created for it and stay empty are removed.

    Raises
    ------
    Held
        When someone else holds the lock, in this program or in another.
    CannotWrite
        When the file cannot be created.
    """
    created = [folder for folder in path.parents if not folder.exists()]
    file = _taken_now(path)
    try:
        with suppress(OSError):  # the disk is full; the lock is held all the same
            file.truncate(0)
            file.write(note.encode())
        yield
    finally:
        _remove(file, path)
        for folder in created:
            with suppress(OSError):  # it is not empty by now
                folder.rmdir()


def holder(path: Path) -> str | None:
    """Return the note of whoever holds the lock of :func:`reserved`, None where nobody does; nothing is written."""
    try:
        file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed below
    except OSError:
        return None
    with file:
        return None if _taken(file) else _note(file)


def _taken_now(path: Path) -> FileIO:
    note = ""
    for _ in range(_TRIES):
        if path.exists() and not os.access(path, os.W_OK) and holder(path) is None:
            path.unlink(missing_ok=True)  # left behind by a killed program of another user
        file = _opened(path)
        if not _taken(file):
            note = _note(file)
        elif _is_still_there(file, path):
            return file
        file.close()
        time.sleep(_PATIENCE)
    raise Held(note)


def _opened(path: Path) -> FileIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "a+b", buffering=0)
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror or error}.") from error


def _is_still_there(file: FileIO, path: Path) -> bool:
    """Whether the file at ``path`` is the one that was locked, and not a new one after its holder removed it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _note(file: FileIO) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


if sys.platform == "win32":
    import msvcrt

    _LOCKED_BYTE = 1 << 30
    """Far behind the note, since others may not read what is locked."""

    def _taken(file: FileIO) -> bool:
        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return error.errno in _NO_LOCKS
        return True

    def _remove(file: FileIO, path: Path) -> None:
        file.close()  # an open file cannot be removed
        with suppress(OSError):
            path.unlink()

else:
    import fcntl

    def _taken(file: FileIO) -> bool:
        """Whether the lock is held now; one taken twice by one program counts as two."""
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in _NO_LOCKS
        return True

    def _remove(file: FileIO, path: Path) -> None:
        with file:  # removed while it is locked, so that nobody else's file of that name can be meant
            path.unlink(missing_ok=True)
