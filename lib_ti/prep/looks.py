"""Looking at every picture of a folder: streamed through threads, each decoded once, or known from an earlier look."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

from lib_ti.data import images
from lib_ti.data.captions import Caption, read_caption
from lib_ti.data.dataset import Skipped
from lib_ti.data.folder import list_files
from lib_ti.errors import Stopped
from lib_ti.prep.duplicates import Fingerprint
from lib_ti.prep.lookfiles import Known, LookFiles
from lib_ti.prep.measures import Measures, measure, quality_of

_LARGE = 25_000_000
"""Pixels from which a picture is decoded alone, so that several large ones never fill the memory together."""


@dataclass(frozen=True)
class Look:
    """A picture that was looked at.

    ``digest`` is the hexadecimal SHA-256 of the file, ``bytes`` its length, ``size`` (width, height) as the picture is
    seen.
    """

    path: Path
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
    cache_folder: Path | None = None,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
    workers: int | None = None,
) -> Looks:
    """Look at the pictures of a folder (not of its subfolders), in natural order.

    Parameters
    ----------
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
    paths = list_files(folder)
    files = LookFiles(cache_folder)
    pictures: list[Look] = []
    skipped: list[Skipped] = []
    progress(0, len(paths))
    looked_at = _in_threads(_Looker(files), paths, workers or os.cpu_count() or 1)
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
    return Looks(folder, tuple(pictures), tuple(skipped), (files.trouble,) if files.trouble else ())


class _Looker:
    """Looks at one file at a time in each of several threads."""

    def __init__(self, files: LookFiles) -> None:
        self._files = files
        self._one_large = threading.Lock()

    def __call__(self, path: Path) -> Found:
        try:
            data = path.read_bytes()
            if not data:
                raise images.UnreadablePicture(path, "the file is empty (0 bytes); copy or download it again")
            digest = hashlib.sha256(data).hexdigest()
            known = self._files.find(digest) or self._look(path, data)
        except images.UnreadablePicture as error:
            if path.suffix.lower() not in images.PICTURE_SUFFIXES:
                return None
            return Skipped(path, error.reason)
        except OSError as error:
            return Skipped(path, f"the file cannot be read ({error.strerror or error})")
        except MemoryError:
            return Skipped(path, "there is not enough memory for it; make it smaller")
        look = Look(
            path=path,
            digest=digest,
            bytes=len(data),
            size=known.size,
            transparent=known.transparent,
            several_frames=known.several_frames,
            caption=read_caption(path),
            measures=known.measures,
            fingerprint=Fingerprint(known.levels, known.size),
        )
        return look, known

    def _look(self, path: Path, data: bytes) -> Known:
        width, height = images.read_header(path, io.BytesIO(data)).size
        with self._one_large if width * height >= _LARGE else nullcontext():
            return _decode(path, data)


def _decode(path: Path, data: bytes) -> Known:
    picture = images.open_picture(path, data=data, with_alpha=True)
    image, transparent = picture.image, False
    if picture.alpha is not None:
        transparent = picture.alpha.getextrema()[0] < 255
        # What is hidden under transparent parts is not seen, and must not be judged.
        image.paste("white", mask=ImageChops.invert(picture.alpha))
    with Image.open(io.BytesIO(data)) as file:  # its header
        tables = getattr(file, "quantization", None)
        # A camera's MPO file holds previews beside the picture.
        several_frames = getattr(file, "is_animated", False) and file.format != "MPO"
    measures, levels = measure(image, jpeg_quality=quality_of(tables) if tables else 0)
    return Known(image.size, transparent, several_frames, measures, levels)


def _in_threads(look: Callable[[Path], Found], paths: Sequence[Path], workers: int) -> Generator[Found, None, None]:
    """Results in the order of the paths; few are worked on ahead, so that memory stays flat."""
    waiting = iter(paths)
    pending: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="look") as pool:
        try:
            for path in itertools.islice(waiting, 2 * workers):
                pending.append(pool.submit(look, path))
            while pending:
                yield pending.popleft().result()
                for path in itertools.islice(waiting, 1):
                    pending.append(pool.submit(look, path))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
