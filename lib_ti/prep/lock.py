"""One at a time, also between programs: locks that the system lifts when their holder ends, however it ends."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lib_ti.atomic import CannotWrite
from lib_ti.errors import BadInput

_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
"""What file systems say that know no locks; there, nobody is kept out."""
_PATIENCE = 0.02
"""Seconds between two tries."""


@contextmanager
def locked(path: Path, *, busy: str = "") -> Iterator[None]:
    """Hold the lock of the file at ``path``, which is made if it is missing.

    Parameters
    ----------
    busy
        The sentence for who comes while another one holds it. Empty: wait for it.

    Raises
    ------
    BadInput
        ``busy``.
    CannotWrite
        When the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "ab")  # noqa: SIM115 - closed below
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror or error}.") from error
    with file:
        while not _taken(file):
            if busy:
                raise BadInput(busy)
            time.sleep(_PATIENCE)
        yield  # closing the file lifts the lock


if sys.platform == "win32":
    import msvcrt

    def _taken(file: BinaryIO) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            return error.errno in _NO_LOCKS
        return True

else:
    import fcntl

    def _taken(file: BinaryIO) -> bool:
        """Whether the lock is held now; one taken twice by one program counts as two."""
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in _NO_LOCKS
        return True
