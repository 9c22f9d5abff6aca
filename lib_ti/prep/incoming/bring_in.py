"""Bring uploaded files and zips into a folder of images. Nothing that is there already is replaced."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lib_ti.data.folder import Skipped
from lib_ti.data.images.formats import has_image_suffix
from lib_ti.errors import BadInput, Stopped, reason
from lib_ti.prep.incoming import archive, names
from lib_ti.prep.incoming.archive import IncomingFile
from lib_ti.storage.atomic import write_bytes
from lib_ti.wording import counted, file_size, quoted, some


@dataclass(frozen=True)
class BroughtIn:
    """What was brought into ``folder``: the numbers of images and of other files, new ones or there already."""

    folder: Path
    images: int
    others: int
    skipped: tuple[Skipped, ...]

    def describe(self) -> tuple[str, ...]:
        """Return full sentences."""
        others = f" and {counted(self.others, 'file')} beside them" if self.others else ""
        lines = [f"{counted(self.images, 'image')}{others} in {self.folder}."]
        if self.skipped:
            shown = [f"{one.shown} ({one.reason})" for one in self.skipped]
            lines.append(f"Not brought in: {some(shown)}.")
        return tuple(lines)


def bring_in(
    files: Sequence[Path], folder: Path, *, progress: Callable[[int, int], None], stop: Callable[[], bool]
) -> BroughtIn:
    """Copy images, their captions and masks, and what is in zips, into a folder, which may exist.

    Files that are in the folder already with the same content stay as they are, so that a second call continues after
    a stop.

    Parameters
    ----------
    progress
        Called with the number of files done, and of all.
    stop
        Asked between files.

    Raises
    ------
    BadInput
        When there is no image, a zip is refused (see :func:`lib_ti.prep.incoming.archive.files_of`), or the folder
        holds another file of a name. Nothing is written then.
    CannotWrite
        When the folder or the disk does not accept a file.
    Stopped
        When ``stop`` returned true.
    """
    with _opened(files) as given:
        wanted, skipped = [], []
        for one in given:
            if why := names.refusal(one.parts):
                skipped.append(Skipped(Path(*one.parts), why, "/".join(one.parts)))
            else:
                wanted.append(one)
        targets = [folder / name for name in names.target_names([one.parts for one in wanted])]
        _check(files, wanted, targets, folder)
        for done, (one, target) in enumerate(zip(wanted, targets, strict=True)):
            progress(done, len(wanted))
            if stop():
                raise Stopped(f"Bringing in was stopped after {done} of {counted(len(wanted), 'file')}.")
            if not target.exists():
                write_bytes(target, one.read())
        progress(len(wanted), len(wanted))
    images = sum(has_image_suffix(target) for target in targets)
    return BroughtIn(folder, images, len(targets) - images, tuple(skipped))


@contextmanager
def _opened(paths: Sequence[Path]) -> Iterator[list[IncomingFile]]:
    """Yield the given files and those in the given zips, which stay open meanwhile."""
    with ExitStack() as stack:
        found: list[IncomingFile] = []
        for path in paths:
            if archive.is_zip(path):
                opened = stack.enter_context(archive.open_zip(path))
                found += archive.files_of(opened, path.name)
            else:
                found.append(_file(path))
        if problem := archive.total_problem(found):
            raise BadInput(problem)
        yield found


def _file(path: Path) -> IncomingFile:
    try:
        return IncomingFile((path.name,), path.stat().st_size, path.read_bytes)
    except OSError as error:
        raise BadInput(f"{quoted(path.name)} cannot be read ({reason(error)}): choose the file again.") from error


def _check(given: Sequence[Path], wanted: Sequence[IncomingFile], targets: Sequence[Path], folder: Path) -> None:
    """Raise :class:`BadInput` before anything is written."""
    if not any(has_image_suffix(target) for target in targets):
        shown = some([quoted(path.name) for path in given]) or "what was given"
        raise BadInput(f"There is no image in {shown}: choose images, or a zip of images.")
    others = [
        quoted(target.name)
        for one, target in zip(wanted, targets, strict=True)
        if target.exists() and (target.stat().st_size != one.size or target.read_bytes() != one.read())
    ]
    if others:
        raise BadInput(
            f"{folder} already holds other files named {some(others)}: choose another keyword, rename your files, or "
            "move the old ones away."
        )
    needed = sum(one.size for one, target in zip(wanted, targets, strict=True) if not target.exists())
    parent = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if needed > (free := shutil.disk_usage(parent).free):
        raise BadInput(f"The images need {file_size(needed)}, and {file_size(free)} are free in {parent}.")
