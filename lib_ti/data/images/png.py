"""PNG files without their text, which may be of any length and says nothing about the pixels.

Pillow inflates compressed text while it reads the header, and refuses the whole image where one text has more than a
megabyte, as a guard against decompression bombs. Its limits are variables of a module that a WebUI shares, so they
stay, and the text is removed instead: none of it is ever inflated.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_COMPRESSED = (b"zTXt", b"iCCP")
_EXIF = b"Raw profile type exif"
"""The keyword under which ImageMagick keeps EXIF data, and with it the orientation."""
_EMBEDDING = b"sd-ti-embedding"
_MOST_INFLATED = 1 << 20
"""Bytes; Pillow's own limit of a text and of a colour profile."""


def is_png(data: bytes) -> bool:
    return data.startswith(_SIGNATURE)


def without_text(data: bytes) -> bytes:
    """Return a PNG file without its text chunks, and without a colour profile that Pillow would refuse.

    EXIF data that is kept as text stays. A file that has nothing to remove, or is damaged, is returned unchanged.
    """
    kept, start = [], 0
    for kind, at, end in _chunks(data):
        body = memoryview(data)[at + 8 : end - 4]
        is_exif = body[: len(_EXIF)] == _EXIF
        if (kind in _TEXT and not is_exif) or _is_too_long(kind, body):
            kept.append(memoryview(data)[start:at])
            start = end
    return b"".join([*kept, memoryview(data)[start:]]) if kept else data


def has_profile(data: bytes) -> bool:
    """Return whether a PNG file has a colour profile, which :func:`without_text` may have removed."""
    return any(kind == b"iCCP" for kind, _, _ in _chunks(data))


def carries_embedding(data: bytes) -> bool:
    """Return whether a PNG file is the card of an embedding, by the text that every WebUI writes into one."""
    return any(kind == b"tEXt" and data.startswith(_EMBEDDING + b"\0", at + 8) for kind, at, _ in _chunks(data))


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each whole chunk, up to the first that is cut off."""
    at = len(_SIGNATURE)
    while is_png(data) and at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            return
        yield kind, at, end
        at = end


def _is_too_long(kind: bytes, body: memoryview) -> bool:
    """Return whether a chunk inflates to more than Pillow accepts; no more than that is inflated to find out."""
    if kind not in _COMPRESSED:
        return False
    inflater = zlib.decompressobj()
    try:
        inflater.decompress(bytes(body).partition(b"\0")[2][1:], _MOST_INFLATED)
    except zlib.error:
        return False
    return bool(inflater.unconsumed_tail)
