"""Captions of a folder while they are edited: immutable values, of which each edit makes a new one.

Nothing is written before :func:`save`. Each edit can be undone and redone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lib_ti.data.beside.captions import CaptionSource, caption_path, read_caption
from lib_ti.data.beside.companions import Beside
from lib_ti.data.folder import Skipped
from lib_ti.errors import BadInput, UserError
from lib_ti.prep.captions.caption_files import CaptionWriter, caption_images, shared_files
from lib_ti.prep.captions.caption_text import one_line
from lib_ti.prep.manifest import captions_from_file_names
from lib_ti.wording import quoted

_MOST_EDITS = 200
_UNREADABLE = "unreadable"


@dataclass(frozen=True)
class OnDisk:
    """Caption of an image outside the editor.

    ``digest`` stands for the caption file's bytes, empty where there is none. ``source`` is ``"name"`` where ``text``
    is a file's name, of the image or of what it was prepared from. ``remark`` is the end of a sentence that begins
    with the image's name, or empty.
    """

    text: str
    digest: str
    source: CaptionSource
    remark: str


@dataclass(frozen=True)
class CaptionEdit:
    """One edit: the texts before and after it, by the images' file names."""

    label: str
    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True)
class CaptionSet:
    """Captions by the file names of their images, in the order of the folder."""

    folder: Path
    texts: Mapping[str, str]
    on_disk: Mapping[str, OnDisk]
    done: tuple[CaptionEdit, ...] = ()
    undone: tuple[CaptionEdit, ...] = ()

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the images with unsaved captions."""
        return tuple(name for name, text in self.texts.items() if text != self.on_disk[name].text)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Full sentences about the reading of captions."""
        return tuple(f"{name}: {found.remark}." for name, found in self.on_disk.items() if found.remark)

    def edit(self, changes: Mapping[str, str], label: str) -> CaptionSet:
        """Return the set with new texts for some images; line breaks become spaces.

        ``label`` names the edit for Undo and Redo.

        Raises
        ------
        BadInput
            When the set has no image of a given name.
        """
        self.check(changes)
        lines = {name: one_line(text) for name, text in changes.items()}
        after = {name: text for name, text in lines.items() if text != self.texts[name]}
        if not after:
            return self
        edit = CaptionEdit(label, {name: self.texts[name] for name in after}, after)
        return replace(self, texts={**self.texts, **after}, done=(*self.done, edit)[-_MOST_EDITS:], undone=())

    def undo(self) -> CaptionSet:
        """Return the set before its last edit; the same set where there is none."""
        if not self.done:
            return self
        *done, edit = self.done
        return replace(self, texts={**self.texts, **edit.before}, done=tuple(done), undone=(*self.undone, edit))

    def redo(self) -> CaptionSet:
        """Return the set after the edit that was undone last; the same set where there is none."""
        if not self.undone:
            return self
        *undone, edit = self.undone
        return replace(self, texts={**self.texts, **edit.after}, done=(*self.done, edit), undone=tuple(undone))

    def check(self, names: Iterable[str]) -> None:
        """Raise :class:`BadInput` for a name that is not in the set."""
        unknown = next((name for name in names if name not in self.texts), None)
        if unknown is not None:
            raise BadInput(f"There is no image {quoted(unknown)} in {self.folder}; reload the captions.")


@dataclass(frozen=True)
class Conflict:
    """A caption that was not saved, since another program has changed its file; ``theirs`` is the file's text."""

    name: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class SaveResult:
    """Result of saving: the set afterwards, the names that were written, and what was not written and why."""

    captions: CaptionSet
    written: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    failed: tuple[Skipped, ...]


def load(folder: Path) -> CaptionSet:
    """Load the captions of the images of a folder, as training reads them.

    Raises
    ------
    BadInput
        When the folder cannot be listed, or has no image.
    """
    images = caption_images(folder)
    names = captions_from_file_names(folder)
    beside = Beside(folder)
    on_disk = {image.name: _read(image, names, beside) for image in images}
    for image, first in shared_files(images, beside).items():
        found = on_disk[image.name]
        shared = f"it shares its caption {caption_path(image, beside).name} with {first.name}"
        on_disk[image.name] = replace(found, remark="; ".join(filter(None, (found.remark, shared))))
    return CaptionSet(folder, {name: found.text for name, found in on_disk.items()}, on_disk)


def save(captions: CaptionSet, *, overwrite: bool = False) -> SaveResult:
    """Write the changed captions as UTF-8; what they replace is kept.

    Each goes to the text file that it came from, or to ``<stem>.txt``; see
    :func:`lib_ti.data.beside.captions.caption_path`. A caption whose file has changed since it was loaded is not
    written, unless it has the same text by now, or ``overwrite`` is set. What cannot be written is reported, and the
    rest is written.
    """
    writer, names, beside = (
        CaptionWriter(captions.folder),
        captions_from_file_names(captions.folder),
        Beside(captions.folder),
    )
    on_disk = dict(captions.on_disk)
    conflicts, failed, written = [], [], []
    for name in captions.changed:
        image, text = captions.folder / name, captions.texts[name]
        try:
            now = _read(image, names, beside)
            theirs = now.digest not in (on_disk[name].digest, _UNREADABLE) and now.text != text
            if theirs and not overwrite:
                conflicts.append(Conflict(name, text, now.text))
                continue
            writer.write(caption_path(image, beside), text)
        except (UserError, OSError) as error:
            failed.append(Skipped(image, f"its caption was not saved ({_reason(error)})"))
            continue
        written.append(name)
    beside = Beside(captions.folder)
    on_disk |= {name: _read(captions.folder / name, names, beside) for name in written}
    return SaveResult(replace(captions, on_disk=on_disk), tuple(written), tuple(conflicts), tuple(failed))


def take_from_disk(captions: CaptionSet, names: Iterable[str]) -> CaptionSet:
    """Return the set with the present texts of some images' caption files, as an edit that can be undone."""
    names = tuple(names)
    captions.check(names)
    named = captions_from_file_names(captions.folder)
    beside = Beside(captions.folder)
    found = {name: _read(captions.folder / name, named, beside) for name in names}
    taken = captions.edit({name: one.text for name, one in found.items()}, "use the files on disk")
    return replace(taken, on_disk={**captions.on_disk, **found})


def _read(image: Path, names: Mapping[str, str], beside: Beside) -> OnDisk:
    """Read the caption of an image; ``names`` are the result of :func:`captions_from_file_names`."""
    # The digest first: if the file changes in between, no later reading agrees with it.
    try:
        digest = hashlib.sha256(caption_path(image, beside).read_bytes()).hexdigest()
    except FileNotFoundError:
        digest = ""
    except OSError:  # the caption's remark says so
        digest = _UNREADABLE
    caption = read_caption(image, beside)
    source = "name" if caption.text and caption.text == names.get(image.name) else caption.source
    return OnDisk(caption.text, digest, source, caption.remark)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).rstrip(".")
