"""Captions for a whole folder by a captioner: merged with those that exist, resumable, and with nothing lost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from lib_ti.config import CaptionConfig, problems, to_mapping
from lib_ti.data.beside import Beside
from lib_ti.data.captions import Caption, caption_path, read_caption
from lib_ti.data.folder import Skipped
from lib_ti.data.images import UnreadablePicture, open_picture
from lib_ti.errors import BadInput, Stopped, said_when_memory_is_full
from lib_ti.host.base import Host
from lib_ti.host.tools import Captioner, Report
from lib_ti.ordered_map import ordered_map
from lib_ti.prep.captions.caption_files import Keeper, pictures_of, shared_files
from lib_ti.prep.captions.caption_text import enclose, join, listed, one_line, without_words
from lib_ti.prep.captions.captioning_record import Note, Record
from lib_ti.prep.manifest import names_for_captions
from lib_ti.wording import counted, printable

_SIDE = 1024
"""Pictures are reduced to this longer side for the captioners, which look at 384 or 512 pixels."""
_READERS = 2
"""Threads that read pictures, each of which may hold one of the largest that are opened at all."""


@dataclass(frozen=True)
class Captioned:
    """What captioning did, by the pictures' file names.

    ``written`` were captioned now, the captioner having no words for those of them that are in ``empty``; ``kept`` had
    a caption that was to be kept; ``unchanged`` were captioned with these settings before; ``skipped`` could not be.
    """

    written: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def describe(self) -> tuple[str, ...]:
        """Full sentences about what was done."""
        counts = (
            (len(self.written), "captioned"),
            (len(self.kept), "left with a caption of their own"),
            (len(self.unchanged), "captioned before with these settings"),
            (len(self.skipped), "skipped"),
        )
        lines = ["Pictures: " + ", ".join(f"{count} {what}" for count, what in counts if count) + "."]
        if self.empty:
            lines.append(f"The captioner had no words for {len(self.empty)} of them, such as {self.empty[0]}.")
        return (*lines, *(f"{item.shown} was skipped: {item.reason}." for item in self.skipped))


def caption_by_host(
    host: Host,
    folder: Path,
    config: CaptionConfig,
    *,
    tell: Report,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> Captioned:
    """Caption a folder, see :func:`caption_folder`, by the captioner that the settings name, or the host's first.

    The host's own Interrupt stops it as ``stop`` does.

    Raises
    ------
    BadInput
        When there is no such captioner, and as :func:`caption_folder` does; before its model is loaded.
    """
    _pictures_to_caption(folder, config)
    if not (config.captioner or host.tools.captioners):
        raise BadInput("There is no captioner here; write the captions by hand.")
    with host.tools.captioner(config.captioner or host.tools.captioners[0], tell) as captioner:
        return caption_folder(
            folder, config, captioner, progress=progress, stop=lambda: stop() or bool(host.models.interrupted())
        )


def caption_folder(
    folder: Path,
    config: CaptionConfig,
    captioner: Captioner,
    *,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> Captioned:
    """Write a caption for every picture directly in a folder, see :func:`lib_ti.data.captions.caption_path`.

    Captions that preparing made of file names are nobody's words, and replaced whatever the settings say of existing
    ones.

    A second run goes on where the first stopped: pictures that were captioned with the same settings are left alone,
    also when their captions were edited since. Where settings were changed, the captions written before are merged
    with no more, unless they were edited: what counts is what was there before them.

    Parameters
    ----------
    progress
        Called with the number of pictures that are done, and of all.
    stop
        Asked after each picture that was read.

    Raises
    ------
    BadInput
        When a setting is wrong, or the folder cannot be listed or holds no picture.
    CannotWrite
        When the folder does not take captions.
    Stopped
        When ``stop`` said so; the captions until then are written.
    UserError
        When there is not enough memory for a batch.
    """
    pictures = _pictures_to_caption(folder, config)
    writing = _Writing(folder, config, captioner)
    waiting: list[_Job] = []
    done = 0
    for picture, found in _looked_at(pictures, config, writing.record, writing.settings):
        if isinstance(found, _Job):
            waiting.append(found)
        else:
            writing.leave(picture, found)
            done += 1
        if len(waiting) == config.batch_size:
            writing.caption(waiting)
            done += len(waiting)
            waiting = []
        progress(done, len(pictures))
        if stop():
            raise Stopped("Captioning was stopped; do the same again, and it goes on with the pictures that are left.")
    writing.caption(waiting)
    writing.record.compact()
    progress(len(pictures), len(pictures))
    return writing.done()


def _pictures_to_caption(folder: Path, config: CaptionConfig) -> list[Path]:
    wrong = problems(config)
    if wrong:
        raise BadInput(wrong)
    return pictures_of(folder)


@dataclass(frozen=True)
class _Job:
    """A picture to caption, reduced.

    ``existing`` is the caption to merge with, empty for none; ``before`` is what the caption file holds now.
    """

    picture: Path
    image: Image.Image
    digest: str
    existing: str
    before: str | None


_Left = Literal["kept", "unchanged"] | Skipped
"""Why a picture is not captioned."""


class _Writing:
    """Captions pictures, writes what comes of it, and counts."""

    def __init__(self, folder: Path, config: CaptionConfig, captioner: Captioner) -> None:
        self.record = Record(folder)
        self.settings = _settings(config, captioner)
        self._config, self._captioner, self._keeper = config, captioner, Keeper(folder)
        self._unwanted = listed(config.blacklist)
        self._written: list[str] = []
        self._empty: list[str] = []
        self._left: list[tuple[str, _Left]] = []

    def leave(self, picture: Path, why: _Left) -> None:
        self._left.append((picture.name, why))

    def caption(self, jobs: Sequence[_Job]) -> None:
        if not jobs:
            return
        self.record.open()
        many = counted(len(jobs), "picture")
        full = f"There was not enough memory to caption {many} at once; choose fewer pictures at once."
        with said_when_memory_is_full(full):
            said = self._captioner.caption([job.image for job in jobs])
        for job, words in zip(jobs, said, strict=True):
            self._write(job, without_words(one_line(words), self._unwanted))

    def _write(self, job: _Job, words: str) -> None:
        text = _merged(words, job.existing, self._config)
        self.record.add(Note(job.picture.name, job.digest, self.settings, job.existing, job.before, text))
        self._keeper.write(caption_path(job.picture), text)
        self._written.append(job.picture.name)
        if not words:
            self._empty.append(job.picture.name)

    def done(self) -> Captioned:
        return Captioned(
            written=tuple(self._written),
            empty=tuple(self._empty),
            kept=tuple(name for name, why in self._left if why == "kept"),
            unchanged=tuple(name for name, why in self._left if why == "unchanged"),
            skipped=tuple(why for _, why in self._left if isinstance(why, Skipped)),
        )


def _looked_at(
    pictures: Sequence[Path], config: CaptionConfig, record: Record, settings: str
) -> Iterator[tuple[Path, _Job | _Left]]:
    """Each picture with what is to be done with it; those of a batch are read at once."""
    beside = Beside(pictures[0].parent)
    shared = shared_files(pictures, beside)
    names = names_for_captions(pictures[0].parent)

    def look(picture: Path) -> _Job | _Left:
        if picture in shared:
            owner, theirs = printable(shared[picture].name), printable(caption_path(picture, beside).name)
            return Skipped(picture, f"its caption would be {theirs}, which is that of {owner}; rename one of them")
        try:
            caption = read_caption(picture, beside)
            if caption.source == "name" and (target := caption_path(picture, beside)).exists():
                return Skipped(picture, f"{printable(target.name)} cannot be read, so it is not replaced")
            return _look(picture, caption, config, record.find(picture.name), settings, names.get(picture.name))
        except UnreadablePicture as error:
            return Skipped(picture, error.reason)
        except OSError as error:
            return Skipped(picture, f"the file cannot be read ({error.strerror})")

    with closing(ordered_map(look, pictures, workers=_READERS, ahead=config.batch_size, name="caption")) as found:
        yield from zip(pictures, found, strict=True)


def _look(
    picture: Path, caption: Caption, config: CaptionConfig, note: Note | None, settings: str, name: str | None
) -> _Job | _Left:
    """``name`` is the caption that preparing made of a file name, if it did."""
    before = caption.text if caption.source == "file" else None
    own = before if before != name else None
    if config.existing == "keep" and own:
        return "kept"
    data = picture.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if note is not None and (note.digest, note.settings) == (digest, settings) and _was_written(note, before):
        return "unchanged"
    if not data:
        raise UnreadablePicture(picture, "the file is empty (0 bytes); copy or download it again")
    # JPEG files are decoded at a fraction of their size; of twice this side at the least, before the good filter.
    image = open_picture(picture, cover=(_SIDE // 2, _SIDE // 2), data=data).image
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    known = note is not None and before in (note.text, note.before)
    existing = note.existing if note is not None and known else own or ""
    return _Job(picture, image, digest, "" if config.existing == "ignore" else existing, before)


def _was_written(note: Note, before: str | None) -> bool:
    """Whether a noted caption came to be, and was not removed; it may have been edited since."""
    return before is not None and (before == note.text or before != note.before)


def _merged(words: str, existing: str, config: CaptionConfig) -> str:
    new = enclose(words, config.prefix, config.suffix)
    return join(existing, new) if config.existing == "prepend" else join(new, existing)


def _settings(config: CaptionConfig, captioner: Captioner) -> str:
    """A hash of all that captions depend on besides the pictures."""
    values = {name: value for name, value in to_mapping(config).items() if name not in ("batch_size", "captioner")}
    return hashlib.sha256(json.dumps([values, captioner.options], sort_keys=True).encode()).hexdigest()
