"""Measure every image of a folder: in threads, each decoded once, or taken from the cache of an earlier inspection."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageChops

from lib_ti.data.beside.captions import Caption, read_caption
from lib_ti.data.folder import FolderFiles, Skipped, list_files
from lib_ti.data.images.contents import read_image_file, refuse_card
from lib_ti.data.images.decode import Header, UnreadableImage, open_image, read_header
from lib_ti.data.images.formats import has_image_suffix
from lib_ti.errors import Stopped
from lib_ti.ordered_map import ordered_map
from lib_ti.prep.inspect.duplicates import Fingerprint
from lib_ti.prep.inspect.inspection_cache import ContentMeasures, InspectionCache
from lib_ti.prep.inspect.measures import Measures, measure, quality_of

_LARGE = 25_000_000
"""Pixels from which an image is decoded alone, so that several large ones never fill the memory together."""


@dataclass(frozen=True)
class MeasuredImage:
    """An image of a folder with its measures.

    ``name`` is its path from the folder. ``digest`` is the hexadecimal SHA-256 of the file, ``bytes`` its length,
    ``size`` (width, height) after the EXIF rotation.
    """

    path: Path
    name: str
    digest: str
    bytes: int
    size: tuple[int, int]
    transparent: bool
    several_frames: bool
    caption: Caption
    measures: Measures
    fingerprint: Fingerprint

    @property
    def has_caption(self) -> bool:
        """Whether a text file beside the image has a caption."""
        return self.caption.source == "file" and bool(self.caption.text)


@dataclass(frozen=True)
class MeasuredFolder:
    """The images of a folder with their measures. ``remarks`` are sentences about the measuring itself."""

    folder: Path
    images: tuple[MeasuredImage, ...]
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[str, ...] = ()


Outcome = tuple[MeasuredImage, ContentMeasures] | Skipped | None
"""The measured image, why it cannot be used, or None for a file that is not meant to be an image."""


def measure_folder(
    folder: Path,
    *,
    subfolders: bool = False,
    cache_folder: Path | None = None,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
    workers: int | None = None,
) -> MeasuredFolder:
    """Measure the images of a folder, in natural order.

    Parameters
    ----------
    subfolders
        Whether the images of its sub-folders are included.
    cache_folder
        Folder that keeps the measures for the next inspection; None keeps nothing.
    progress
        Called from this thread with the number of files that are done, and of all.
    stop
        Asked between images.
    workers
        Number of threads; None for one per CPU core.

    Raises
    ------
    BadInput
        When the folder is missing, is a file, or cannot be listed.
    Stopped
        When ``stop`` returned true; the measures so far are in the cache folder.
    """
    listed = list_files(folder, subfolders=subfolders)
    paths = listed.paths
    cache = InspectionCache(cache_folder)
    images: list[MeasuredImage] = []
    skipped = list(listed.skipped)
    progress(0, len(paths))
    outcomes = ordered_map(_Measurer(cache, listed), paths, workers=workers, name="inspect")
    try:
        for done, outcome in enumerate(outcomes, start=1):
            if isinstance(outcome, Skipped):
                skipped.append(outcome)
            elif outcome is not None:
                image, content = outcome
                cache.add(image.digest, content)
                images.append(image)
            progress(done, len(paths))
            if done < len(paths) and stop():
                raise Stopped("The inspection was stopped; the next one continues from there.")
    finally:
        outcomes.close()
        cache.flush()
    remarks = (*listed.remarks, cache.problem) if cache.problem else listed.remarks
    return MeasuredFolder(folder, tuple(images), tuple(skipped), remarks)


class _Measurer:
    """Measures one file at a time in each of several threads."""

    def __init__(self, cache: InspectionCache, listed: FolderFiles) -> None:
        self._cache, self._listed = cache, listed
        self._one_large = threading.Lock()

    def __call__(self, path: Path) -> Outcome:
        try:
            data = read_image_file(path)
            digest = hashlib.sha256(data).hexdigest()
            content = self._cache.find(digest) or self._measure(path, data)
        except UnreadableImage as error:
            return Skipped(path, error.reason, self._listed.name(path)) if has_image_suffix(path) else None
        except MemoryError:
            return Skipped(path, "there is not enough memory for it; make it smaller", self._listed.name(path))
        image = MeasuredImage(
            path=path,
            name=self._listed.name(path),
            digest=digest,
            bytes=len(data),
            size=content.size,
            transparent=content.transparent,
            several_frames=content.several_frames,
            caption=read_caption(path, self._listed.beside[path.parent]),
            measures=content.measures,
            fingerprint=Fingerprint(content.levels, content.size),
        )
        return image, content

    def _measure(self, path: Path, data: bytes) -> ContentMeasures:
        header = read_header(path, data)
        with self._one_large if header.size[0] * header.size[1] >= _LARGE else nullcontext():
            return _decode_and_measure(path, data, header)


def _decode_and_measure(path: Path, data: bytes, header: Header) -> ContentMeasures:
    opened = open_image(path, data=data, with_alpha=True)
    image, transparent = opened.image, False
    refuse_card(path, image)
    if opened.alpha is not None:
        transparent = opened.alpha.getextrema()[0] < 255
        # Colors under transparent parts are invisible, and must not be measured.
        image.paste("white", mask=ImageChops.invert(opened.alpha))
    measures, levels = measure(image, jpeg_quality=quality_of(header.quantization) if header.quantization else 0)
    return ContentMeasures(image.size, transparent, header.several_frames, measures, levels)
