"""Thumbnails for galleries: made when they are first needed, and kept."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

from PIL import Image

from lib_ti.data.images.decode import UnreadableImage, open_image
from lib_ti.storage.atomic import write_atomically

_VERSION = "2"
"""Changes whenever the same image would look different."""
_QUALITY = 85
_SQUARE = 8
_SQUARES = (255, 224)
"""Grey levels of the checkerboard behind transparent images."""


class Thumbnails:
    """Thumbnails in a folder of their own, which may be deleted at any time. Thread-safe."""

    def __init__(self, folder: Path, size: int) -> None:
        """``size`` is the longest side in pixels."""
        self._folder = folder
        self._size = size
        self._making: dict[Path, threading.Lock] = {}
        self._lock = threading.Lock()

    def of(self, path: Path) -> Path:
        """Return the thumbnail of an image file, a JPEG file; it is made again when that file has changed.

        Raises
        ------
        UnreadableImage
            When the file is not an image that can be read.
        CannotWrite
            When the folder or the disk does not accept the thumbnail.
        """
        kept = self._folder / f"{self._key(path)}.jpg"
        if kept.exists():
            return kept
        with self._lock:
            making = self._making.setdefault(kept, threading.Lock())
        with making:
            if not kept.exists():
                small = _small(path, self._size)
                write_atomically(kept, lambda beside: small.save(beside, "JPEG", quality=_QUALITY))
        with self._lock:
            self._making.pop(kept, None)
        return kept

    def _key(self, path: Path) -> str:
        """Hash path, length and time of the file; reading all of it would take as long as making a thumbnail."""
        try:
            now = path.stat()
        except OSError as error:
            raise UnreadableImage(path, f"the file cannot be read ({error.strerror})") from error
        parts = (_VERSION, path.absolute(), now.st_size, now.st_mtime_ns, self._size)
        return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()[:40]


def downscaled(image: Image.Image, alpha: Image.Image | None, size: int) -> Image.Image:
    """Return an RGB image, its longer side at most ``size``, transparent parts on a checkerboard."""
    small = image.copy()
    small.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=2.0)
    if alpha is None:
        return small
    # Colors under transparent parts may be anything, and bleed a little where both are downscaled.
    ground = _checkerboard(small.size)
    ground.paste(small, mask=alpha.resize(small.size, Image.Resampling.LANCZOS, reducing_gap=2.0))
    return ground


def _small(path: Path, size: int) -> Image.Image:
    opened = open_image(path, with_alpha=True, cover=(size, size))
    return downscaled(opened.image, opened.alpha, size)


def _checkerboard(size: tuple[int, int]) -> Image.Image:
    light, dark = _SQUARES
    cell = Image.new("L", (2 * _SQUARE, 2 * _SQUARE), light)
    cell.paste(dark, (0, 0, _SQUARE, _SQUARE))
    cell.paste(dark, (_SQUARE, _SQUARE, 2 * _SQUARE, 2 * _SQUARE))
    ground = Image.new("L", size)
    for x in range(0, size[0], 2 * _SQUARE):
        for y in range(0, size[1], 2 * _SQUARE):
            ground.paste(cell, (x, y))
    return ground.convert("RGB")
