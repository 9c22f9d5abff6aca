"""The captions that are being edited, folder by folder, whichever page edits them.

Edits belong to the process and to no page, so that leaving the step, closing the page or the WebUI's Reload UI loses
none: this module stays imported, and :data:`EDITORS` with it. Files change only by :meth:`Editor.save`.
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
    """The captions of one folder. All methods may be called from any thread."""

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
        """What the last saving left alone because others had changed it, as far as it is still unsaved."""
        changed = set(self._captions.changed)
        return tuple(one for one in self._conflicts if one.name in changed)

    @property
    def failed(self) -> tuple[Skipped, ...]:
        """What the last saving could not write, as far as it is still unsaved."""
        changed = set(self._captions.changed)
        return tuple(one for one in self._failed if one.path.name in changed)

    def type(self, name: str, given: str, text: str) -> None:
        """Take what is in a page's text field; ``given`` is what the page was given for that picture.

        A page on which nothing was typed does not undo what another page did meanwhile. What is typed at one visit to
        a picture is one step to undo, however often it is taken.

        Raises
        ------
        BadInput
            When there is no such picture.
        """
        with self._lock:
            captions = self._captions
            captions.check([name])
            text, before = one_line(text), one_line(given)
            if text == one_line(captions.texts[name]):
                return
            label = f"edit {name}"
            last = captions.done[-1] if captions.done else None
            goes_on = last is not None and last.label == label and one_line(last.before[name]) == before
            if text == before and not goes_on:
                return
            self._captions = (captions.undo() if goes_on else captions).edit({name: text}, label)

    def apply(self, step: CaptionEdit) -> tuple[int, int]:
        """Make changes that were looked at before; those of captions that were changed since then are left out.

        Returns how many captions were changed, and how many left out.
        """
        with self._lock:
            texts = self._captions.texts
            fitting = {name: text for name, text in step.after.items() if texts.get(name) == step.before[name]}
            self._captions = self._captions.edit(fitting, step.label)
        return len(fitting), len(step.after) - len(fitting)

    def undo(self) -> CaptionEdit | None:
        """Undo the last step, and return it; None where there is none."""
        with self._lock:
            last = self._captions.done[-1] if self._captions.done else None
            self._captions = self._captions.undo()
        return last

    def redo(self) -> CaptionEdit | None:
        """Do again what was undone last, and return it; None where there is none."""
        with self._lock:
            last = self._captions.undone[-1] if self._captions.undone else None
            self._captions = self._captions.redo()
        return last

    def save(self, *, overwrite: bool = False) -> int:
        """Write what was changed, and return to how many pictures; the others are conflicts, or have failed."""
        with self._lock:
            saved = caption_set.save(self._captions, overwrite=overwrite)
            self._captions, self._conflicts, self._failed = saved.captions, saved.conflicts, saved.failed
        return len(saved.written)

    def take_from_disk(self) -> int:
        """Take over what others wrote where that is in conflict, and return in how many captions; can be undone."""
        names = [one.name for one in self.conflicts]
        with self._lock:
            self._captions, self._conflicts = caption_set.take_from_disk(self._captions, names), ()
        return len(names)

    def reload(self) -> dict[str, str]:
        """Look at the folder again, and return the unsaved texts of pictures that are gone, by their names."""
        with self._lock:
            found = reload(self._captions)
            self._captions = found.captions
        return dict(found.lost)


class Editors:
    """An editor for each folder that was opened. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Path, Editor] = {}

    def find(self, folder: Path) -> Editor | None:
        return self._open.get(resolved(folder))

    def open(self, folder: Path) -> tuple[Editor, dict[str, str]]:
        """The editor of a folder, with what is there now, and the unsaved texts of pictures that are gone.

        Raises
        ------
        BadInput
            When the folder cannot be listed, or holds no picture.
        """
        with self._lock:
            known = self._open.get(resolved(folder))
            if known is None:
                known = self._open[resolved(folder)] = Editor(caption_set.load(folder))
                return known, {}
        return known, known.reload()


EDITORS = Editors()
"""The process's own; see above why it is at module level."""


def unsaved(folder: str) -> str:
    """What to say, where a folder's captions are taken, of changes to them that are not in its files; or nothing."""
    editor = EDITORS.find(as_path(folder)) if path_text(folder) else None
    count = len(editor.captions.changed) if editor else 0
    if not count:
        return ""
    those = "1 caption is" if count == 1 else f"{count} captions are"
    return f"{those} changed in the step Captions and not saved, and taken as in the files: press Save there first."
