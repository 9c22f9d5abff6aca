"""Editors of captions, one per folder, shared by all pages.

Edits belong to the process and not to a page, so that leaving the step, closing the page or the WebUI's Reload UI loses
none: this module stays imported, and :data:`EDITORS` with it. Only :meth:`Editor.save` changes files.
"""

from __future__ import annotations

import threading
from pathlib import Path

from lib_ti.data.folder import Skipped
from lib_ti.paths import as_path, path_text, resolved
from lib_ti.prep.captions import caption_set
from lib_ti.prep.captions.caption_set import CaptionEdit, CaptionSet, Conflict
from lib_ti.prep.captions.caption_text import one_line
from lib_ti.prep.captions.reload import reload


class Editor:
    """Editor of the captions of one folder. Thread-safe."""

    def __init__(self, captions: CaptionSet) -> None:
        self._lock = threading.Lock()
        self._captions = captions
        self._conflicts: tuple[Conflict, ...] = ()
        self._failed: tuple[Skipped, ...] = ()

    @property
    def captions(self) -> CaptionSet:
        return self._captions

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Captions that the last saving skipped because their files had changed, as far as they are still unsaved."""
        changed = set(self._captions.changed)
        return tuple(one for one in self._conflicts if one.name in changed)

    @property
    def failed(self) -> tuple[Skipped, ...]:
        """Captions that the last saving could not write, as far as they are still unsaved."""
        changed = set(self._captions.changed)
        return tuple(one for one in self._failed if one.path.name in changed)

    def type(self, name: str, sent: str, text: str) -> None:
        """Take the text of a page's field; ``sent`` is the text that the page was sent for that image.

        A page on which nothing was typed does not undo what another page has done. What is typed during one visit to an
        image is one edit to undo, however often the text is taken.

        Raises
        ------
        BadInput
            When there is no such image.
        """
        with self._lock:
            captions = self._captions
            captions.check([name])
            text, before = one_line(text), one_line(sent)
            if text == one_line(captions.texts[name]):
                return
            label = f"edit {name}"
            last = captions.done[-1] if captions.done else None
            continues = last is not None and last.label == label and one_line(last.before[name]) == before
            if text == before and not continues:
                return
            self._captions = (captions.undo() if continues else captions).edit({name: text}, label)

    def apply(self, edit: CaptionEdit) -> tuple[int, int]:
        """Apply a previewed edit, without the captions that were changed since the preview.

        Return the number of captions that were changed, and that were skipped.
        """
        with self._lock:
            texts = self._captions.texts
            fitting = {name: text for name, text in edit.after.items() if texts.get(name) == edit.before[name]}
            self._captions = self._captions.edit(fitting, edit.label)
        return len(fitting), len(edit.after) - len(fitting)

    def undo(self) -> CaptionEdit | None:
        """Undo the last edit, and return it; None where there is none."""
        with self._lock:
            last = self._captions.done[-1] if self._captions.done else None
            self._captions = self._captions.undo()
        return last

    def redo(self) -> CaptionEdit | None:
        """Redo the edit that was undone last, and return it; None where there is none."""
        with self._lock:
            last = self._captions.undone[-1] if self._captions.undone else None
            self._captions = self._captions.redo()
        return last

    def save(self, *, overwrite: bool = False) -> int:
        """Write the changed captions, and return how many were written; the others are conflicts, or have failed."""
        with self._lock:
            saved = caption_set.save(self._captions, overwrite=overwrite)
            self._captions, self._conflicts, self._failed = saved.captions, saved.conflicts, saved.failed
        return len(saved.written)

    def take_from_disk(self) -> int:
        """Replace conflicting captions by those on disk, and return their number; can be undone."""
        names = [one.name for one in self.conflicts]
        with self._lock:
            self._captions, self._conflicts = caption_set.take_from_disk(self._captions, names), ()
        return len(names)

    def reload(self) -> dict[str, str]:
        """Reload the folder, and return the unsaved texts of images that no longer exist, by their names."""
        with self._lock:
            found = reload(self._captions)
            self._captions = found.captions
        return dict(found.lost)


class Editors:
    """Editors of all folders that were opened. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Path, Editor] = {}

    def find(self, folder: Path) -> Editor | None:
        return self._open.get(resolved(folder))

    def open(self, folder: Path) -> tuple[Editor, dict[str, str]]:
        """Return the editor of a folder, reloaded, and the unsaved texts of images that no longer exist.

        Raises
        ------
        BadInput
            When the folder cannot be listed, or has no image.
        """
        with self._lock:
            known = self._open.get(resolved(folder))
            if known is None:
                known = self._open[resolved(folder)] = Editor(caption_set.load(folder))
                return known, {}
        return known, known.reload()


EDITORS = Editors()
"""The editors of this process; the module's docstring says why they are at module level."""


def unsaved(folder: str) -> str:
    """Return a warning of unsaved captions for an action that uses a folder's caption files; empty where there are
    none."""
    editor = EDITORS.find(as_path(folder)) if path_text(folder) else None
    count = len(editor.captions.changed) if editor else 0
    if not count:
        return ""
    changed = "1 caption has" if count == 1 else f"{count} captions have"
    return f"{changed} unsaved changes in the step Captions, which are not used: press Save there first."
