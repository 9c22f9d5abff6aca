"""Facts that depend on an image file's bytes alone, cached for each file while the program runs."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lib_ti.data.images import decode as images
from lib_ti.data.images import png
from lib_ti.embedding.formats.pixelcode import carries_payload

_CARD = "it is a card that carries an embedding"
_MOST_REMEMBERED = 50_000
_SETTLED = 2_000_000_000
"""Nanoseconds after which a changed file has another modification time, also on disks that store only seconds."""
_LARGE = 25_000_000
"""Pixels from which an image is decoded alone, so that several large ones do not fill the memory together."""


@dataclass(frozen=True)
class Contents:
    """An image file that decodes from beginning to end. ``digest`` is the hexadecimal SHA-256 of the file."""

    digest: str
    header: images.Header


_Key = tuple[str, int, int, int]
_remembered: OrderedDict[_Key, Contents] = OrderedDict()
_lock = threading.Lock()
_one_large = threading.Lock()


def read_image_file(path: Path) -> bytes:
    """Return the bytes of a file that may be an image to train on.

    Raises
    ------
    UnreadableImage
        As :func:`lib_ti.data.images.decode.read_file`, and for the card of an embedding by its text.
    """
    data = images.read_file(path)
    if png.carries_embedding(data):
        raise images.UnreadableImage(path, _CARD)
    return data


def refuse_card(path: Path, image: Image.Image) -> None:
    """Refuse the card of an embedding by its pixels: WebP has no text, and copies of a PNG may have lost theirs.

    Raises
    ------
    UnreadableImage
        When the image carries an embedding.
    """
    if carries_payload(image):
        raise images.UnreadableImage(path, _CARD)


def contents_of(path: Path) -> Contents:
    """Return the contents of the image at a path, from the cache where the file is still the same.

    Safe to call from several threads. Files that cannot be used are read again each time.

    Raises
    ------
    UnreadableImage
        When it is no image, not all of it decodes, or it is the card of an embedding.
    """
    key = _key(path)
    with _lock:
        if key is not None and key in _remembered:
            _remembered.move_to_end(key)
            return _remembered[key]
    data = read_image_file(path)
    header = images.read_header(path, data)
    with _one_large if header.size[0] * header.size[1] >= _LARGE else nullcontext():
        refuse_card(path, images.decode_small(path, data))
    found = Contents(hashlib.sha256(data).hexdigest(), header)
    if key is not None and time.time_ns() - key[2] > _SETTLED and key == _key(path):
        with _lock:
            _remembered[key] = found
            if len(_remembered) > _MOST_REMEMBERED:
                _remembered.popitem(last=False)
    return found


def _key(path: Path) -> _Key | None:
    try:
        now = path.stat()
    except OSError:
        return None
    return str(path.absolute()), now.st_size, now.st_mtime_ns, now.st_ctime_ns
