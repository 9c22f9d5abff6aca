"""Regions of a picture that seem to hold lettering: captions, dates, signatures, watermarks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from lib_ti.prep.arrays import Array
from lib_ti.prep.remove.text_map import CELL, text_map

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""

LOOKED_AT = 640
"""Pictures are reduced to this longer side; what cannot be read there cannot be read when it is trained either."""
_SCALES = (1.0, 0.7, 0.5)
"""Larger lettering is recognised at less than that."""
_SMALLEST = 32
"""Pixels a side, under which there is too little around a letter to tell it by."""
_LIKELY = 0.5
"""A region is what hangs together above this likelihood, ..."""
_LIKELIEST = 0.85
"""... if it somewhere reaches this one; ..."""
_DOUBTFUL = 0.6
"""... and it weighs the more the further above this one it is, which what only looks like lettering seldom is."""
_MARGIN = 0.2
"""A region is widened by this share of a line's height, since the edges of letters must go as well."""


@dataclass(frozen=True)
class TextRegion:
    """``box`` in the picture's pixels; ``share`` of the picture, in thousandths, that is surely lettering."""

    box: Box
    share: float


def text_regions(image: Image.Image) -> list[Box]:
    """Boxes (left, top, right, bottom) in pixels of an RGB picture that probably hold lettering, from the top down."""
    pixels = reduced(image, LOOKED_AT)
    across, down = image.width / pixels.shape[1], image.height / pixels.shape[0]
    boxes = []
    for region in find_text(pixels):
        left, top, right, bottom = region.box
        boxes.append((int(left * across), int(top * down), math.ceil(right * across), math.ceil(bottom * down)))
    return boxes


def reduced(image: Image.Image, side: int) -> Array:
    """An RGB picture as (H, W, 3) uint8, its longer side at most ``side``."""
    scale = side / max(image.size)
    if scale >= 1:
        return np.asarray(image)
    # First quickly by a whole number, then exactly.
    roughly = np.asarray(image.reduce(max(1, int(1 / scale))))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return cv2.resize(roughly, size, interpolation=cv2.INTER_AREA)


def find_text(pixels: Array) -> list[TextRegion]:
    """Regions of a picture (H, W, 3) uint8, no larger than :data:`LOOKED_AT`, from the top down."""
    height, width = pixels.shape[:2]
    likelihood = np.zeros((max(1, height // CELL), max(1, width // CELL)), np.float32)
    for scale in _SCALES:
        size = (round(width * scale), round(height * scale))
        if min(size) >= _SMALLEST:
            seen = text_map(pixels if scale == 1 else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
            seen = cv2.resize(seen, likelihood.shape[::-1], interpolation=cv2.INTER_LINEAR)
            likelihood = np.maximum(likelihood, seen)
    found = [_region(part, likelihood, (width, height)) for part in _parts(likelihood > _LIKELY)]
    return sorted((region for region in found if region), key=lambda region: (region.box[1], region.box[0]))


def _parts(likely: Array) -> Iterator[tuple[slice, slice, Array]]:
    """Cells that hang together: their rows and columns, and which within these they are."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(likely.astype(np.uint8))
    for number in range(1, count):
        left, top, width, height = (int(value) for value in stats[number][:4])
        rows, columns = slice(top, top + height), slice(left, left + width)
        yield rows, columns, labels[rows, columns] == number


def _region(part: tuple[slice, slice, Array], likelihood: Array, size: tuple[int, int]) -> TextRegion | None:
    rows, columns, inside = part
    values = likelihood[rows, columns][inside]
    if values.max() < _LIKELIEST:
        return None
    # The height of a line, also of a slanting one: twice the way from its middle to its edge.
    line = 2 * float(cv2.distanceTransform(np.pad(inside.astype(np.uint8), 1), cv2.DIST_L2, 3).max()) - 1
    margin = math.ceil(_MARGIN * line) * CELL
    box = (
        max(0, columns.start * CELL - margin),
        max(0, rows.start * CELL - margin),
        min(size[0], columns.stop * CELL + margin),
        min(size[1], rows.stop * CELL + margin),
    )
    sure = np.clip((values - _DOUBTFUL) / (1 - _DOUBTFUL), 0, None).sum()
    return TextRegion(box, 1000 * float(sure) / likelihood.size)
