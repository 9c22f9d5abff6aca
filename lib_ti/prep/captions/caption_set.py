"""The captions of a folder while a person edits them: values that never change, of which edits make new ones.

Nothing is written before :func:`save`. Each edit can be undone and done again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lib_ti.data.beside import Beside
from lib_ti.data.captions import CaptionSource, caption_path, read_caption
from lib_ti.data.folder import Skipped
from lib_ti.errors import BadInput, UserError
from lib_ti.prep.captions.caption_files import Keeper, pictures_of, shared_files
from lib_ti.prep.captions.caption_text import one_line
from lib_ti.prep.manifest import names_for_captions
from lib_ti.wording import quoted

_MOST_STEPS = 200
_UNREADABLE = "unreadable"


@dataclass(frozen=True)
class OnDisk:
    """The caption that a picture has outside the editor.

    ``digest`` stands for the caption file's bytes, empty where there is none. ``source`` is ``"name"`` where ``text``
    is a file's name, of the picture or of what it was prepared from. ``remark`` is the end of a sentence that begins
    with the picture's name, or empty.
    """

    text: str
    digest: str
    source: CaptionSource
    remark: str


@dataclass(frozen=True)
class Step:
    """One edit: the texts that it changed, by the pictures' file names."""

    label: str
    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True)
class CaptionSet:
    """Captions by their pictures' file names, in the order of the folder."""

    folder: Path
    texts: Mapping[str, str]
    on_disk: Mapping[str, OnDisk]
    done: tuple[Step, ...] = ()
    undone: tuple[Step, ...] = ()

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the pictures whose captions are not saved."""
        return tuple(name for name, text in self.texts.items() if text != self.on_disk[name].text)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Full sentences about how captions were read."""
        return tuple(f"{name}: {found.remark}." for name, found in self.on_disk.items() if found.remark)

    def edit(self, changes: Mapping[str, str], label: str) -> CaptionSet:
        """The set with other texts for some pictures, line breaks made spaces.

        ``label`` says what was done, for the buttons that undo it and do it again.

        Raises
        ------
        BadInput
            When the set has no picture of a name.
        """
        self.check(changes)
        lines = {name: one_line(text) for name, text in changes.items()}
        after = {name: text for name, text in lines.items() if text != self.texts[name]}
        if not after:
            return self
        step = Step(label, {name: self.texts[name] for name in after}, after)
        return replace(self, texts={**self.texts, **after}, done=(*self.done, step)[-_MOST_STEPS:], undone=())

    def undo(self) -> CaptionSet:
        """The set before its last edit; the same set where there is none."""
        if not self.done:
            return self
        *done, step = self.done
        return replace(self, texts={**self.texts, **step.before}, done=tuple(done), undone=(*self.undone, step))

    def redo(self) -> CaptionSet:
        """The set after the edit that was undone last; the same set where there is none."""
        if not self.undone:
            return self
        *undone, step = self.undone
        return replace(self, texts={**self.texts, **step.after}, done=(*self.done, step), undone=tuple(undone))

    def check(self, names: Iterable[str]) -> None:
        """Raise :class:`BadInput` for a name that is none of the set's."""
        unknown = next((name for name in names if name not in self.texts), None)
        if unknown is not None:
            raise BadInput(f"There is no picture {quoted(unknown)} in {self.folder}; load the captions again.")


@dataclass(frozen=True)
class Conflict:
    """A caption that was not saved, since its file was changed by someone else meanwhile; ``theirs`` is its text."""

    name: str
    ours: str
    theirs: str


@dataclass(frozen=True)
class Saved:
    """What saving did: the set as it is now, and by name what was written, what was not, and why."""

    captions: CaptionSet
    written: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    failed: tuple[Skipped, ...]


def load(folder: Path) -> CaptionSet:
    """The captions of the pictures of a folder, as training reads them.

    Raises
    ------
    BadInput
        When the folder cannot be listed, or holds no picture.
    """
    pictures = pictures_of(folder)
    names = names_for_captions(folder)
    beside = Beside(folder)
    on_disk = {picture.name: _look(picture, names, beside) for picture in pictures}
    for picture, first in shared_files(pictures, beside).items():
        found = on_disk[picture.name]
        shared = f"it shares its caption {caption_path(picture, beside).name} with {first.name}"
        on_disk[picture.name] = replace(found, remark="; ".join(filter(None, (found.remark, shared))))
    return CaptionSet(folder, {name: found.text for name, found in on_disk.items()}, on_disk)


def save(captions: CaptionSet, *, overwrite: bool = False) -> Saved:
    """Write the captions that were changed, as UTF-8; what they replace is kept.

    Each goes to the text file that it came from, or to ``<stem>.txt``; see :func:`lib_ti.data.captions.caption_path`.
    A caption whose file is not as it was when it was loaded is left alone, unless it says the same by now, or
    ``overwrite`` is set. What cannot be written is listed, and the rest is written.
    """
    keeper, names, beside = Keeper(captions.folder), names_for_captions(captions.folder), Beside(captions.folder)
    on_disk = dict(captions.on_disk)
    conflicts, failed, written = [], [], []
    for name in captions.changed:
        picture, text = captions.folder / name, captions.texts[name]
        try:
            now = _look(picture, names, beside)
            theirs = now.digest not in (on_disk[name].digest, _UNREADABLE) and now.text != text
            if theirs and not overwrite:
                conflicts.append(Conflict(name, text, now.text))
                continue
            keeper.write(caption_path(picture, beside), text)
        except (UserError, OSError) as error:
            failed.append(Skipped(picture, f"its caption was not saved ({_reason(error)})"))
            continue
        written.append(name)
    beside = Beside(captions.folder)
    on_disk |= {name: _look(captions.folder / name, names, beside) for name in written}
    return Saved(replace(captions, on_disk=on_disk), tuple(written), tuple(conflicts), tuple(failed))


def take_from_disk(captions: CaptionSet, names: Iterable[str]) -> CaptionSet:
    """The set with the texts that some pictures' caption files hold now, as an edit that can be undone."""
    names = tuple(names)
    captions.check(names)
    named = names_for_captions(captions.folder)
    beside = Beside(captions.folder)
    found = {name: _look(captions.folder / name, named, beside) for name in names}
    taken = captions.edit({name: one.text for name, one in found.items()}, "take over what is on disk")
    return replace(taken, on_disk={**captions.on_disk, **found})


def _look(picture: Path, names: Mapping[str, str], beside: Beside) -> OnDisk:
    """The caption of a picture; ``names`` are those that :func:`names_for_captions` knows."""
    # The digest first: of a file that is changed in between, it is then one that no later look agrees with.
    try:
        digest = hashlib.sha256(caption_path(picture, beside).read_bytes()).hexdigest()
    except FileNotFoundError:
        digest = ""
    except OSError:  # the caption's remark says so
        digest = _UNREADABLE
    caption = read_caption(picture, beside)
    source = "name" if caption.text and caption.text == names.get(picture.name) else caption.source
    return OnDisk(caption.text, digest, source, caption.remark)


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).rstrip(".")
