"""The files in a zip, after everything that could do harm was refused. Nothing is extracted here."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lib_ti.errors import BadInput, reason
from lib_ti.wording import file_size, quoted

MOST_FILES = 5_000
"""Files that are brought in at once, captions and masks among them."""
MOST_BYTES = 4_000_000_000
MOST_FILE_BYTES = 500_000_000
BOMB_RATIO = 200
"""How many times a file in a zip may be smaller than unpacked; photographs hardly shrink, drawings about 50 times."""
BOMB_BYTES = 16_000_000
"""Size from which that ratio is looked at: a small file of one color may shrink more."""
_ENCRYPTED = 0x1
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@dataclass(frozen=True)
class IncomingFile:
    """A file to bring in.

    Parameters
    ----------
    parts
        Its path as it was given: folders, then the file name.
    size
        In bytes.
    read
        Returns its content.
    """

    parts: tuple[str, ...]
    size: int
    read: Callable[[], bytes]


def is_zip(path: Path) -> bool:
    """Whether a file is a zip by its suffix or its content."""
    return path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip for :func:`files_of`; the caller closes it.

    Raises
    ------
    BadInput
        When it cannot be read, or is no zip.
    """
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadInput(f"{quoted(path.name)} is not a zip file, or is damaged: create or download it again.") from error
    except OSError as error:
        raise BadInput(f"{quoted(path.name)} cannot be read: {reason(error)}.") from error


def files_of(archive: zipfile.ZipFile, name: str) -> list[IncomingFile]:
    """Return the files in a zip.

    Parameters
    ----------
    name
        What messages call it.

    Raises
    ------
    BadInput
        When a path in it leads outside, it has more than :data:`MOST_FILES` files, it would unpack to more than
        :data:`MOST_BYTES`, one of its files shrinks so much that it is a bomb, is a link, or needs a password.
    """
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    shown = quoted(name)
    if len(entries) > MOST_FILES:
        raise BadInput(
            f"{shown} contains {len(entries):,} files, and at most {MOST_FILES:,} can be used: keep the best images."
        )
    total = sum(entry.file_size for entry in entries)
    if total > MOST_BYTES:
        raise BadInput(
            f"{shown} would unpack to {file_size(total)}, and at most {file_size(MOST_BYTES)} can be used: keep the "
            "best images."
        )
    found = []
    for entry in entries:
        if problem := _problem(entry):
            raise BadInput(f"{shown} was not unpacked: {quoted(entry.filename)} in it {problem}.")
        read = partial(_read, archive, entry, name)
        found.append(IncomingFile(_parts(entry.filename), entry.file_size, read))
    return found


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))


def _problem(entry: zipfile.ZipInfo) -> str:
    """Return why an entry is refused, as the end of a sentence; empty where it is not."""
    name = entry.filename
    if name.startswith(("/", "\\")) or name[1:2] == ":" or ".." in _parts(name):
        return "has a path that leads out of the zip; such a zip may overwrite other files"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link; put the file itself into the zip"
    if entry.flag_bits & _ENCRYPTED:
        return "needs a password; create the zip without one"
    if entry.compress_type not in _COMPRESSIONS:
        return "is compressed in an unusual way; create the zip with the usual compression (Deflate)"
    if entry.file_size > MOST_FILE_BYTES:
        return f"is {file_size(entry.file_size)}, and a file may have {file_size(MOST_FILE_BYTES)}"
    if entry.file_size > BOMB_BYTES and entry.file_size > BOMB_RATIO * entry.compress_size:
        return (
            f"would grow from {file_size(entry.compress_size)} to {file_size(entry.file_size)}, as a zip bomb does; "
            "save it as JPEG or PNG"
        )
    return ""


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    """Return the content of an entry; never more than its header says, which was checked."""
    try:
        return archive.read(entry)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, OSError, zlib.error) as error:
        raise BadInput(f"{quoted(entry.filename)} in {quoted(name)} is damaged: create the zip again.") from error


def total_problem(files: Sequence[IncomingFile]) -> str:
    """Return why so many files cannot be brought in together, as a sentence; empty where they can."""
    total = sum(one.size for one in files)
    if len(files) > MOST_FILES:
        return f"There are {len(files):,} files, and at most {MOST_FILES:,} can be used: keep the best images."
    if total > MOST_BYTES:
        return f"The files have {file_size(total)} together, and at most {file_size(MOST_BYTES)} can be used."
    return ""
