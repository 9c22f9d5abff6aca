"""Embeddings in the pixels of cards, as the WebUI reads them: they survive every lossless copy of the image.

The compressed data stands in two blocks beside the image, the lower halves of its bytes left and the upper halves
right, a half byte in the lower four bits of each channel of each pixel; one black column separates each block from
the image. The lower bits are disguised with a fixed sequence. The upper bits are free and make the blocks look well.
(WebUI: ``modules/textual_inversion/image_embedding.py``.)
"""

from __future__ import annotations

import zlib

import numpy
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[numpy.uint8]

_CHANNELS = 3
_LOW, _HALF = numpy.uint8(0x0F), numpy.uint8(4)
_MULTIPLIER, _INCREMENT, _MODULUS = 1664525, 1013904223, 255
_ROWS = 16
"""Rows that are searched first for the columns that separate the blocks."""
MAX_BYTES = 64 * 2**20
"""Larger uncompressed data is refused: no embedding, but an attempt to fill the memory."""


def frame(image: Image.Image, payload: bytes, colours: Pixels) -> Image.Image:
    """Return ``image`` between two blocks that carry ``payload``.

    Parameters
    ----------
    colours
        (n, 3): decoration for the blocks, from top to bottom. Only the upper four bits of each show.
    """
    code = numpy.frombuffer(zlib.compress(payload, level=9), numpy.uint8)
    # An image row without one pixel that has light in all channels counts as a black border and is cut off on reading.
    middle = numpy.maximum(numpy.asarray(image.convert("RGB")), 1)
    height = middle.shape[0]
    gap = numpy.zeros((height, 1, _CHANNELS), numpy.uint8)
    low, high = _block(code & _LOW, height, colours), _block(code >> _HALF, height, colours)
    return Image.fromarray(numpy.concatenate([low, gap, middle, gap, high], axis=1))


def carries_payload(image: Image.Image) -> bool:
    """Return whether an image carries a table, as cards do.

    A few rows are enough to recognise almost every image without one.
    """
    if not image.width or not image.height:
        return False
    rows = [image.height * part // _ROWS for part in range(_ROWS)]
    lines = [numpy.asarray(image.crop((0, row, image.width, row + 1)).convert("RGB")) for row in rows]
    separators: Pixels = (numpy.concatenate(lines) & _LOW).max(axis=(0, 2)) == 0
    return int(separators.sum()) > 1 and (read_frame(image) or b"").startswith(b"{")


def read_frame(image: Image.Image) -> bytes | None:
    """Return the payload of :func:`frame`, or None for an image without one. Never raises, whatever the image."""
    pixels: Pixels = _without_border(numpy.asarray(image.convert("RGB"))) & _LOW
    (empty,) = numpy.nonzero(pixels.max(axis=(0, 2), initial=0) == 0)
    if len(empty) < 2 or not pixels.size:
        return None
    low, high = pixels[:, : empty[0]], pixels[:, empty[-1] + 1 :]
    if low.shape != high.shape or not low.size:
        return None
    code = (_disguised(high) << _HALF | _disguised(low)).tobytes()
    try:
        return zlib.decompressobj().decompress(code, MAX_BYTES)
    except zlib.error:
        return None


def _block(half_bytes: Pixels, height: int, colours: Pixels) -> Pixels:
    column = height * _CHANNELS
    # A column more than is filled at most, so that no column holds only the padding of an unlucky length.
    padded = numpy.resize(half_bytes, (len(half_bytes) // column + 1) * column).reshape(height, -1, _CHANNELS)
    shades = colours[numpy.arange(height) * len(colours) // height][:, None, :]
    coloured: Pixels = _disguised(padded) | (shades & ~_LOW)
    return coloured


def _disguised(block: Pixels) -> Pixels:
    """XOR with the lower bits of a linear congruential sequence modulo 2**32, which undoes itself."""
    powers = numpy.cumprod(numpy.full(block.size, _MULTIPLIER, numpy.uint32), dtype=numpy.uint32)
    sums = numpy.cumsum(numpy.concatenate([numpy.ones(1, numpy.uint32), powers[:-1]]), dtype=numpy.uint32)
    sequence = sums * numpy.uint32(_INCREMENT) % _MODULUS
    hidden: Pixels = block ^ (sequence.astype(numpy.uint8) & _LOW).reshape(block.shape)
    return hidden


def _without_border(pixels: Pixels) -> Pixels:
    lit = pixels.min(axis=2) > 0
    rows, columns = numpy.nonzero(lit.any(axis=1))[0], numpy.nonzero(lit.any(axis=0))[0]
    if not len(rows):
        return pixels[:0]
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
