"""Caption a whole folder by a captioner: merged with existing captions, resumable, and without losing any."""

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
from lib_ti.data.beside.captions import Caption, caption_path, read_caption
from lib_ti.data.beside.companions import Beside
from lib_ti.data.folder import Skipped
from lib_ti.data.images.decode import UnreadableImage, open_image
from lib_ti.errors import BadInput, Stopped, said_when_memory_is_full
from lib_ti.host.base import Host
from lib_ti.host.tools import Captioner, Report, TagOptions
from lib_ti.ordered_map import ordered_map
from lib_ti.prep.captions.caption_files import CaptionWriter, caption_images, shared_files
from lib_ti.prep.captions.caption_text import comma_separated, enclose, join, one_line, without_words
from lib_ti.prep.captions.captioning_record import CaptioningRecord, RecordedCaption
from lib_ti.prep.manifest import captions_from_file_names
from lib_ti.wording import counted, printable

_SIDE = 1024
"""Longer side to which images are downscaled for the captioners, which use 384 or 512 pixels."""
_READERS = 2
"""Threads that read images, each of which may hold one of the largest possible images."""


_IN_OPTIONS = ("batch_size", "captioner", "tag_threshold", "character_threshold", "tag_spaces")
"""Settings that captions do not depend on, or that a captioner that uses them has in its own ``options``."""


@dataclass(frozen=True)
class CaptioningResult:
    """What captioning did, by the images' file names.

    ``written`` were captioned now, those in ``empty`` without any word from the captioner; ``kept`` had a caption that
    stays; ``unchanged`` were captioned with these settings before; ``skipped`` could not be captioned.
    """

    written: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def describe(self) -> tuple[str, ...]:
        """Return full sentences about what was done."""
        counts = (
            (len(self.written), "captioned"),
            (len(self.kept), "with an existing caption that was kept"),
            (len(self.unchanged), "captioned before with these settings"),
            (len(self.skipped), "skipped"),
        )
        lines = ["Images: " + ", ".join(f"{count} {what}" for count, what in counts if count) + "."]
        if self.empty:
            lines.append(f"The captioner returned no words for {len(self.empty)} of them, such as {self.empty[0]}.")
        return (*lines, *(f"{item.shown} was skipped: {item.reason}." for item in self.skipped))


def caption_with_host(
    host: Host,
    folder: Path,
    config: CaptionConfig,
    *,
    report: Report,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> CaptioningResult:
    """Caption a folder, see :func:`caption_folder`, by the captioner of the settings, or the host's first.

    The host's own Interrupt stops it as ``stop`` does.

    Raises
    ------
    BadInput
        When there is no such captioner, and as :func:`caption_folder` does; before its model is loaded.
    """
    _images_to_caption(folder, config)
    if not (config.captioner or host.tools.captioners):
        raise BadInput("There is no captioner here; write the captions by hand.")
    tags = TagOptions(config.tag_threshold, config.character_threshold, config.tag_spaces)
    with host.tools.captioner(config.captioner or host.tools.captioners[0], report, tags) as captioner:
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
) -> CaptioningResult:
    """Write a caption for every image directly in a folder, see :func:`lib_ti.data.beside.captions.caption_path`.

    Captions that a preparation made of file names are always replaced, whatever the setting for existing ones.

    A second call continues where the first stopped: images that were captioned with the same settings are unchanged,
    also where their captions were edited since. After a change of settings, captions written by the first call are not
    merged with, unless they were edited: what counts is the caption before them.

    Parameters
    ----------
    progress
        Called with the number of images that are done, and of all.
    stop
        Asked after each image that was read.

    Raises
    ------
    BadInput
        When a setting is wrong, or the folder cannot be listed or has no image.
    CannotWrite
        When the folder does not accept captions.
    Stopped
        When ``stop`` returned true; the captions until then are written.
    UserError
        When there is not enough memory for a batch.
    """
    images = _images_to_caption(folder, config)
    batches = _BatchWriter(folder, config, captioner)
    waiting: list[_Job] = []
    done = 0
    for image, found in _jobs(images, config, batches.record, batches.settings):
        if isinstance(found, _Job):
            waiting.append(found)
        else:
            batches.pass_over(image, found)
            done += 1
        if len(waiting) == config.batch_size:
            batches.caption(waiting)
            done += len(waiting)
            waiting = []
        progress(done, len(images))
        if stop():
            raise Stopped("Captioning was stopped. Start it again to continue with the remaining images.")
    batches.caption(waiting)
    batches.record.compact()
    progress(len(images), len(images))
    return batches.result()


def _images_to_caption(folder: Path, config: CaptionConfig) -> list[Path]:
    if found := problems(config):
        raise BadInput(found)
    return caption_images(folder)


@dataclass(frozen=True)
class _Job:
    """An image to caption, downscaled.

    ``existing`` is the caption to merge with, empty for none; ``before`` is what the caption file contains now.
    """

    path: Path
    image: Image.Image
    digest: str
    existing: str
    before: str | None


_Reason = Literal["kept", "unchanged"] | Skipped
"""Why an image is not captioned."""


class _BatchWriter:
    """Captions images in batches, writes the captions, and counts."""

    def __init__(self, folder: Path, config: CaptionConfig, captioner: Captioner) -> None:
        self.record = CaptioningRecord(folder)
        self.settings = _settings_hash(config, captioner)
        self._config, self._captioner, self._writer = config, captioner, CaptionWriter(folder)
        self._unwanted = comma_separated(config.blacklist)
        self._written: list[str] = []
        self._empty: list[str] = []
        self._passed_over: list[tuple[str, _Reason]] = []

    def pass_over(self, image: Path, reason: _Reason) -> None:
        self._passed_over.append((image.name, reason))

    def caption(self, jobs: Sequence[_Job]) -> None:
        if not jobs:
            return
        self.record.open()
        many = counted(len(jobs), "image")
        full = f"There was not enough memory to caption {many} at once; choose a smaller batch size."
        with said_when_memory_is_full(full):
            captions = self._captioner.caption([job.image for job in jobs])
        for job, words in zip(jobs, captions, strict=True):
            self._write(job, without_words(one_line(words), self._unwanted))

    def _write(self, job: _Job, words: str) -> None:
        text = _merged(words, job.existing, self._config)
        self.record.add(RecordedCaption(job.path.name, job.digest, self.settings, job.existing, job.before, text))
        self._writer.write(caption_path(job.path), text)
        self._written.append(job.path.name)
        if not words:
            self._empty.append(job.path.name)

    def result(self) -> CaptioningResult:
        return CaptioningResult(
            written=tuple(self._written),
            empty=tuple(self._empty),
            kept=tuple(name for name, reason in self._passed_over if reason == "kept"),
            unchanged=tuple(name for name, reason in self._passed_over if reason == "unchanged"),
            skipped=tuple(reason for _, reason in self._passed_over if isinstance(reason, Skipped)),
        )


def _jobs(
    images: Sequence[Path], config: CaptionConfig, record: CaptioningRecord, settings: str
) -> Iterator[tuple[Path, _Job | _Reason]]:
    """Yield each image with its job, or the reason why it has none; images are read ahead in threads."""
    beside = Beside(images[0].parent)
    shared = shared_files(images, beside)
    names = captions_from_file_names(images[0].parent)

    def job_of(image: Path) -> _Job | _Reason:
        if image in shared:
            owner, file = printable(shared[image].name), printable(caption_path(image, beside).name)
            return Skipped(image, f"its caption would be {file}, which belongs to {owner}; rename one of them")
        try:
            caption = read_caption(image, beside)
            if caption.source == "name" and (target := caption_path(image, beside)).exists():
                return Skipped(image, f"{printable(target.name)} cannot be read, so it is not replaced")
            return _job(image, caption, config, record.find(image.name), settings, names.get(image.name))
        except UnreadableImage as error:
            return Skipped(image, error.reason)
        except OSError as error:
            return Skipped(image, f"the file cannot be read ({error.strerror})")

    with closing(ordered_map(job_of, images, workers=_READERS, ahead=config.batch_size, name="caption")) as found:
        yield from zip(images, found, strict=True)


def _job(
    path: Path,
    caption: Caption,
    config: CaptionConfig,
    recorded: RecordedCaption | None,
    settings: str,
    name_caption: str | None,
) -> _Job | _Reason:
    """Make an image's job. ``name_caption`` is the caption that a preparation made of its file name, if it did."""
    before = caption.text if caption.source == "file" else None
    own = before if before != name_caption else None
    if config.existing == "keep" and own:
        return "kept"
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    same = recorded is not None and (recorded.digest, recorded.settings) == (digest, settings)
    if recorded is not None and same and _was_written(recorded, before):
        return "unchanged"
    if not data:
        raise UnreadableImage(path, "the file is empty (0 bytes); copy or download it again")
    # JPEG files are decoded at a fraction of their size, at least twice this side, before the better filter.
    image = open_image(path, cover=(_SIDE // 2, _SIDE // 2), data=data).image
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    is_ours = recorded is not None and before in (recorded.text, recorded.before)
    existing = recorded.existing if recorded is not None and is_ours else own or ""
    return _Job(path, image, digest, "" if config.existing == "ignore" else existing, before)


def _was_written(recorded: RecordedCaption, before: str | None) -> bool:
    """Whether a recorded caption was really written, and not removed; it may have been edited since."""
    return before is not None and (before == recorded.text or before != recorded.before)


def _merged(words: str, existing: str, config: CaptionConfig) -> str:
    new = enclose(words, config.prefix, config.suffix)
    return join(existing, new) if config.existing == "prepend" else join(new, existing)


def _settings_hash(config: CaptionConfig, captioner: Captioner) -> str:
    """Hash everything that captions depend on besides the images."""
    values = {name: value for name, value in to_mapping(config).items() if name not in _IN_OPTIONS}
    return hashlib.sha256(json.dumps([values, captioner.options], sort_keys=True).encode()).hexdigest()
