"""Square pieces of a picture at full resolution, from which fine structure is measured whatever the picture's size."""

from __future__ import annotations

import numpy as np
from PIL import Image

from lib_ti.prep.arrays import Array

SIDE = 64
_MOST = 96
"""Two fifths of a megapixel: enough for stable figures, and a small part of the time that decoding takes."""
_CALM_SHARE = 0.4
_CELLS = 4
"""Into so many parts a side each tile is divided to see how much there is in it."""


def cut_tiles(image: Image.Image) -> Array:
    """Tiles (N, 64, 64, 3) uint8 of an RGB picture, their corners at multiples of 64.

    Small pictures are taken whole (mirrored at their edges below 64 pixels). Of larger ones it is the tiles with the
    most in them, which show how sharp the sharpest part is, and the calmest ones, which show the grain.
    """
    columns, rows = max(1, image.width // SIDE), max(1, image.height // SIDE)
    if image.width < SIDE or image.height < SIDE:
        image = _at_least(image, SIDE)
    chosen = range(columns * rows) if columns * rows <= _MOST else _telling(image, columns, rows)
    corners = [(index % columns * SIDE, index // columns * SIDE) for index in chosen]
    return np.stack([np.asarray(image.crop((x, y, x + SIDE, y + SIDE))) for x, y in corners])


def _telling(image: Image.Image, columns: int, rows: int) -> list[int]:
    """Indices, row by row, of the most varied and of the calmest tiles."""
    inside = (0, 0, columns * SIDE, rows * SIDE)
    cells = np.asarray(image.reduce(SIDE // _CELLS, inside).convert("L"), dtype=np.float32)
    spread = cells.reshape(rows, _CELLS, columns, _CELLS).std(axis=(1, 3)).ravel()
    order = np.argsort(spread, kind="stable")
    calm = round(_MOST * _CALM_SHARE)
    return sorted([*order[:calm].tolist(), *order[calm - _MOST :].tolist()])


def _at_least(image: Image.Image, side: int) -> Image.Image:
    pixels = np.asarray(image)
    more = [(0, max(0, side - length)) for length in pixels.shape[:2]]
    return Image.fromarray(np.pad(pixels, [*more, (0, 0)], mode="symmetric"))
