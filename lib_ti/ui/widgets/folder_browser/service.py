"""What the folder browser shows and chooses, from text to listings. Knows no Gradio."""

from __future__ import annotations

import os
import string
import time
from collections.abc import Iterator
from pathlib import Path

from lib_ti.errors import BadInput
from lib_ti.host.base import Folders
from lib_ti.paths import absolute, as_path, folder_problem, is_folder, path_problem, path_text
from lib_ti.ui import reach, recent_folders
from lib_ti.ui.widgets.folder_browser.listing import (
    COUNTING_SECONDS,
    Entry,
    Listing,
    contents,
    list_folders,
    subfolders,
)
from lib_ti.wording import counted, quoted

THIS_FOLDER = "This folder"


class FolderBrowser:
    """Walks the folders that one host allows."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def start(self, text: str) -> Listing:
        """Return the folder that a field holds, or the next one above it that exists; else where images may be.

        Raises
        ------
        BadInput
            When none of the folders that this server allows exists.
        """
        wanted = path_text(text)
        if wanted and not path_problem(wanted):
            path = absolute(Path(wanted))
            existing = next((one for one in (path, *path.parents) if is_folder(one)), None)
            if existing and self._may_use(existing):
                remarks = () if existing == path else (f"{quoted(path)} does not exist yet.",)
                return self._listing(existing, remarks)
        usual = (*map(Path, recent_folders.recent(self._folders)), self._folders.datasets, Path.home())
        first = next((one for one in usual if is_folder(one) and self._may_use(one)), None)
        return self._listing(absolute(first)) if first else self._top()

    def open(self, text: str, label: str, *, may_be_new: bool = False) -> Listing:
        """Return a folder's sub-folders; empty text is the list of all that this server allows.

        Parameters
        ----------
        label
            What messages call the folder.
        may_be_new
            Whether a folder that does not exist is shown as one to be made.

        Raises
        ------
        BadInput
            When the folder cannot be listed, or this server does not allow it.
        """
        if not path_text(text):
            return self._top()
        reach.check(self._folders, {label: text})
        path = absolute(as_path(text, label))
        if may_be_new and folder_problem(path, missing_ok=True) is None and not path.exists():
            return Listing(path, (Entry(path, THIS_FOLDER, "new"),), self._above(path), (_NEW,))
        if problem := folder_problem(path):
            raise BadInput(f"{label} {problem}")
        return self._listing(path)

    def up(self, text: str) -> Listing:
        """Return the folder above, or the list of all that this server allows."""
        above = self._above(absolute(Path(text))) if text else None
        return self.start(above) if above else self._top()

    def choose(self, text: str, label: str, *, may_be_new: bool = False) -> str:
        """Return the path of a chosen folder for a field, and remember it.

        Raises
        ------
        BadInput
            As :meth:`open`, and when nothing is chosen.
        """
        if not path_text(text):
            raise BadInput("No folder is selected: select one of the list, or open one.")
        chosen = self.open(text, label, may_be_new=may_be_new).location
        recent_folders.remember(self._folders, chosen)
        return chosen

    def recent(self) -> list[str]:
        """Return the folders that were used last and can be chosen."""
        return recent_folders.recent(self._folders)

    def _listing(self, path: Path, remarks: tuple[str, ...] = ()) -> Listing:
        try:
            inner = subfolders(path)
        except OSError:
            raise BadInput(f"The folder {folder_problem(path)}") from None
        allowed = [one for one in inner if not one.is_symlink() or self._may_use(one)]
        if links := len(inner) - len(allowed):
            remarks += (f"{counted(links, 'link')} not shown, since this server does not allow where they lead.",)
        first = Entry(path, THIS_FOLDER, contents(path, time.monotonic() + COUNTING_SECONDS))
        entries, more = list_folders(allowed, [first])
        return Listing(path, entries, self._above(path), remarks + more)

    def _top(self) -> Listing:
        roots = self._roots()
        if len(roots) == 1:
            return self._listing(roots[0])
        if not roots:
            allowed = ", ".join(map(str, reach.allowed_roots(self._folders) or ()))
            raise BadInput(f"None of the folders that this server allows exists yet: {allowed}.")
        entries, remarks = list_folders(roots)
        return Listing(None, tuple(Entry(one.path, str(one.path), one.holds) for one in entries), None, remarks)

    def _above(self, path: Path) -> str | None:
        roots = self._roots()
        if path != path.parent and self._may_use(path.parent):
            return str(path.parent)
        return "" if len(roots) > 1 else None

    def _roots(self) -> list[Path]:
        allowed = reach.allowed_roots(self._folders)
        return [root for root in (_drives() if allowed is None else dict.fromkeys(allowed)) if is_folder(root)]

    def _may_use(self, path: Path) -> bool:
        return reach.is_allowed(self._folders, path)


_NEW = "This folder does not exist yet: it is made when it is used."


def _drives() -> Iterator[Path]:
    if os.name == "nt":
        yield from (Path(f"{letter}:\\") for letter in string.ascii_uppercase)
    else:
        yield Path("/")
