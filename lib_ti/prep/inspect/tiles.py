"""Square tiles of an image at full resolution, from which fine structure is measured whatever the image's size."""

from __future__ import annotations

import numpy as np
from PIL import Image

from lib_ti.prep.arrays import Array

SIDE = 64
_MOST = 96
"""Two fifths of a megapixel: enough for stable measures, in a small part of the time that decoding takes."""
_CALM_SHARE = 0.4
_CELLS = 4
"""Cells per side into which each tile is divided to measure its variation."""


def select_tiles(image: Image.Image) -> Array:
    """Select tiles (N, 64, 64, 3) uint8 of an RGB image, their corners at multiples of 64.

    Small images are used whole (mirrored at their edges below 64 pixels). Of larger ones, the tiles with the most
    variation are used, which show how sharp the sharpest part is, and the calmest ones, which show the noise.
    """
    columns, rows = max(1, image.width // SIDE), max(1, image.height // SIDE)
    if image.width < SIDE or image.height < SIDE:
        image = _at_least(image, SIDE)
    chosen = range(columns * rows) if columns * rows <= _MOST else _most_and_least_varied(image, columns, rows)
    corners = [(index % columns * SIDE, index // columns * SIDE) for index in chosen]
    return np.stack([np.asarray(image.crop((x, y, x + SIDE, y + SIDE))) for x, y in corners])


def _most_and_least_varied(image: Image.Image, columns: int, rows: int) -> list[int]:
    """Return the indices, row by row, of the tiles with the most and the least variation."""
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
