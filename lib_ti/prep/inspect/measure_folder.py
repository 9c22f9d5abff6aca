"""Looking at every picture of a folder: streamed through threads, each decoded once, or known from an earlier look."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageChops

from lib_ti.data import images
from lib_ti.data.captions import Caption, read_caption
from lib_ti.data.contents import read_image_file, refuse_card
from lib_ti.data.folder import FolderFiles, Skipped, list_files
from lib_ti.data.formats import has_image_suffix
from lib_ti.errors import Stopped
from lib_ti.ordered_map import ordered_map
from lib_ti.prep.inspect.duplicates import Fingerprint
from lib_ti.prep.inspect.inspection_cache import Known, LookFiles
from lib_ti.prep.inspect.measures import Measures, measure, quality_of

_LARGE = 25_000_000
"""Pixels from which a picture is decoded alone, so that several large ones never fill the memory together."""


@dataclass(frozen=True)
class Look:
    """A picture that was looked at.

    ``name`` is its path from the folder. ``digest`` is the hexadecimal SHA-256 of the file, ``bytes`` its length,
    ``size`` (width, height) as the picture is seen.
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
        """Whether a text file beside the picture says something."""
        return self.caption.source == "file" and bool(self.caption.text)


@dataclass(frozen=True)
class Looks:
    """What a folder holds. ``remarks`` are sentences about the look itself."""

    folder: Path
    pictures: tuple[Look, ...]
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[str, ...] = ()


Found = tuple[Look, Known] | Skipped | None
"""What came of a file: a picture, why it cannot be used, or nothing for a file that nobody means as a picture."""


def look_at_all(
    folder: Path,
    *,
    subfolders: bool = False,
    cache_folder: Path | None = None,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
    workers: int | None = None,
) -> Looks:
    """Look at the pictures of a folder, in natural order.

    Parameters
    ----------
    subfolders
        Whether those of its sub-folders belong to it.
    cache_folder
        Where what was seen is kept for the next look; None keeps nothing.
    progress
        Called with files done and in all, from this thread.
    stop
        Asked between pictures.
    workers
        Threads; None for as many as there are cores.

    Raises
    ------
    BadInput
        When the folder is missing, is not a folder or cannot be listed.
    Stopped
        When ``stop`` said so; what was seen is kept in the cache folder.
    """
    listed = list_files(folder, subfolders=subfolders)
    paths = listed.paths
    files = LookFiles(cache_folder)
    pictures: list[Look] = []
    skipped = list(listed.skipped)
    progress(0, len(paths))
    looked_at = ordered_map(_Looker(files, listed), paths, workers=workers, name="inspect")
    try:
        for done, found in enumerate(looked_at, start=1):
            if isinstance(found, Skipped):
                skipped.append(found)
            elif found is not None:
                look, known = found
                files.add(look.digest, known)
                pictures.append(look)
            progress(done, len(paths))
            if done < len(paths) and stop():
                raise Stopped("Looking over the pictures was stopped; what was seen is kept for the next look.")
    finally:
        looked_at.close()
        files.flush()
    remarks = (*listed.remarks, files.trouble) if files.trouble else listed.remarks
    return Looks(folder, tuple(pictures), tuple(skipped), remarks)


class _Looker:
    """Looks at one file at a time in each of several threads."""

    def __init__(self, files: LookFiles, listed: FolderFiles) -> None:
        self._files, self._listed = files, listed
        self._one_large = threading.Lock()

    def __call__(self, path: Path) -> Found:
        try:
            data = read_image_file(path)
            digest = hashlib.sha256(data).hexdigest()
            known = self._files.find(digest) or self._look(path, data)
        except images.UnreadablePicture as error:
            return Skipped(path, error.reason, self._listed.name(path)) if has_image_suffix(path) else None
        except MemoryError:
            return Skipped(path, "there is not enough memory for it; make it smaller", self._listed.name(path))
        look = Look(
            path=path,
            name=self._listed.name(path),
            digest=digest,
            bytes=len(data),
            size=known.size,
            transparent=known.transparent,
            several_frames=known.several_frames,
            caption=read_caption(path, self._listed.beside[path.parent]),
            measures=known.measures,
            fingerprint=Fingerprint(known.levels, known.size),
        )
        return look, known

    def _look(self, path: Path, data: bytes) -> Known:
        header = images.read_header(path, data)
        with self._one_large if header.size[0] * header.size[1] >= _LARGE else nullcontext():
            return _decode(path, data, header)


def _decode(path: Path, data: bytes, header: images.Header) -> Known:
    picture = images.open_picture(path, data=data, with_alpha=True)
    image, transparent = picture.image, False
    refuse_card(path, image)
    if picture.alpha is not None:
        transparent = picture.alpha.getextrema()[0] < 255
        # What is hidden under transparent parts is not seen, and must not be judged.
        image.paste("white", mask=ImageChops.invert(picture.alpha))
    measures, levels = measure(image, jpeg_quality=quality_of(header.quantization) if header.quantization else 0)
    return Known(image.size, transparent, header.several_frames, measures, levels)
