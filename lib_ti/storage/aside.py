"""What a person has is not lost when it is replaced: it is kept under a name, or in a folder, that no program loads."""

from __future__ import annotations

import datetime
import filecmp
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from lib_ti.storage.atomic import CannotWrite


@contextmanager
def kept(path: Path, folder: Path | None = None) -> Iterator[Path | None]:
    """Keep the file at ``path`` while it is replaced inside; yields where, None where there is no file.

    Where the replacing fails and the file itself is still there, no copy of it stays. ``folder`` as for
    :func:`set_aside`.

    Raises
    ------
    CannotWrite
        When it cannot be kept.
    """
    copy = _kept_copy(path, folder) if path.exists() else None
    try:
        yield copy
    except BaseException:
        if copy and path.exists() and filecmp.cmp(path, copy, shallow=False):
            copy.unlink()
        raise


def set_aside(path: Path, folder: Path | None = None) -> Path:
    """Move a file to ``NAME.replaced-<time>`` in its folder; return where it is now.

    Parameters
    ----------
    folder
        Another folder to move it to, which is created where it is missing; the file keeps its name there, numbered
        where that is taken.

    Raises
    ------
    CannotWrite
        When the file cannot be moved.
    """
    copy = _kept_copy(path, folder)
    try:
        path.unlink()
    except OSError as error:
        copy.unlink(missing_ok=True)
        raise CannotWrite(f"{path} cannot be moved to {copy}: {error.strerror or error}.") from error
    return copy


def set_folder_aside(path: Path) -> Path:
    """Rename a folder to ``NAME.replaced-<time>``; return where it is now.

    Raises
    ------
    CannotWrite
        When it cannot be renamed.
    """
    target = next(name for name in _free_names(path, None) if not name.exists())
    try:
        path.rename(target)
    except OSError as error:
        raise CannotWrite(f"{path} cannot be moved to {target}: {error.strerror or error}.") from error
    return target


def sentence(paths: Sequence[Path]) -> str:
    """Say where what was replaced is now; empty for nothing."""
    return f"What it replaced is kept as {' and '.join(map(str, paths))}." if paths else ""


def _kept_copy(path: Path, folder: Path | None) -> Path:
    """Give the file at ``path`` a second name; make a copy where the file system has no second names."""
    for target in _free_names(path, folder):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _duplicate(path, target)
        except FileExistsError:
            if target.parent.is_dir():
                continue
            raise CannotWrite(f"{path} cannot be kept in {target.parent}: that is a file.") from None
        except OSError as error:
            raise CannotWrite(f"{path} cannot be kept as {target}: {error.strerror or error}.") from error
        return target
    raise AssertionError("numbers do not end")


def _free_names(path: Path, folder: Path | None) -> Iterator[Path]:
    now = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S")
    for number in count(1):
        suffix = "" if number == 1 else f"-{number}"
        if folder is None:
            yield path.with_name(f"{path.name}.replaced-{now}{suffix}")
        else:
            yield folder / f"{path.stem}{suffix}{path.suffix}"


def _duplicate(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:
        target.touch(exist_ok=False)
        try:
            shutil.copy2(path, target)
        except OSError:
            target.unlink()
            raise
