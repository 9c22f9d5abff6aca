"""Regions of an image that probably contain text: captions, dates, signatures, watermarks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from lib_ti.prep.arrays import Array
from lib_ti.prep.crop_box import PixelBox
from lib_ti.prep.remove.text_map import CELL, text_map

INSPECTED_SIDE = 640
"""Longer side to which images are downscaled; text that is illegible there is illegible in training as well."""
_SCALES = (1.0, 0.7, 0.5)
"""Further scales, at which larger text is recognized."""
_SMALLEST = 32
"""Shortest side in pixels at which letters have enough surroundings to be recognized."""
_LIKELY = 0.5
"""Likelihood above which connected cells form a region, ..."""
_LIKELIEST = 0.85
"""... which must reach this likelihood somewhere; ..."""
_DOUBTFUL = 0.6
"""... and weighs by how far it is above this likelihood, since false positives rarely are."""
_MARGIN = 0.2
"""Widening of a region, as a fraction of a line's height, so that it includes the edges of the letters."""


@dataclass(frozen=True)
class TextRegion:
    """``box`` is in the image's pixels; ``share`` is the part of the image, in thousandths, that is surely text."""

    box: PixelBox
    share: float


def text_regions(image: Image.Image, at_least: float = 0.0) -> list[PixelBox]:
    """Return the boxes in an RGB image that probably contain text, from top to bottom.

    ``at_least`` is the share of the image, in thousandths, that a region must cover to count.
    """
    pixels = downscaled_pixels(image, INSPECTED_SIDE)
    across, down = image.width / pixels.shape[1], image.height / pixels.shape[0]
    boxes = []
    for region in find_text(pixels):
        if region.share >= at_least:
            left, top, right, bottom = region.box
            boxes.append((int(left * across), int(top * down), math.ceil(right * across), math.ceil(bottom * down)))
    return boxes


def downscaled_pixels(image: Image.Image, side: int) -> Array:
    """Return an RGB image as (H, W, 3) uint8, its longer side at most ``side``."""
    scale = side / max(image.size)
    if scale >= 1:
        return np.asarray(image)
    # First fast by a whole factor, then exactly.
    roughly = np.asarray(image.reduce(max(1, int(1 / scale))))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return cv2.resize(roughly, size, interpolation=cv2.INTER_AREA)


def find_text(pixels: Array) -> list[TextRegion]:
    """Find text in an image (H, W, 3) uint8, no larger than :data:`INSPECTED_SIDE`; regions from top to bottom."""
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
    """Yield connected cells: their rows and columns, and a mask of the cells within these."""
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
    # Height of a line, also of a slanted one: twice the distance from its middle to its edge.
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
