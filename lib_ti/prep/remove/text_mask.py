"""Mask of the strokes of text within regions, which leaves the background between the letters."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from PIL import Image

from lib_ti.prep.arrays import Array
from lib_ti.prep.crop_box import PixelBox

_WIDEST_STROKE = 0.3
"""Widest stroke, as a fraction of a region's shorter side."""
_FAINTEST = 12
"""Least difference of a stroke from its surroundings, in levels of 255."""
_ALIKE = 48
"""Largest difference between the colors of strokes, in levels of 255."""
_BORDER = 0.05
"""Widening of strokes for their soft edges and shadows, as a fraction of the region's shorter side."""
_MOST = 0.7
"""Where strokes cover more than this fraction of a region, they were not recognized, and the mask covers all of it."""


def text_mask(image: Image.Image, boxes: Iterable[PixelBox]) -> Image.Image:
    """Return a mask ("L", 0 or 255) of the strokes within boxes of an RGB image, for inpainting.

    It removes much less of the image than whole boxes would. A box (left, top, right, bottom) in which no strokes are
    recognized is covered as a whole.
    """
    levels = np.asarray(image)
    mask = np.zeros(levels.shape[:2], np.uint8)
    for left, top, right, bottom in boxes:
        inside = slice(max(0, top), bottom), slice(max(0, left), right)
        if levels[inside].size:
            mask[inside] |= _strokes(levels[inside])
    return Image.fromarray(mask)


def _strokes(levels: Array) -> Array:
    side = min(levels.shape[:2])
    ways = [_of_one_color(levels, how) for how in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)]
    found, _ = max(ways, key=lambda one: one[1])
    border = max(1, round(side * _BORDER)) * 2 + 1
    found = cv2.dilate(found, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (border, border)))
    return np.full_like(found, 255) if not found.any() or found.mean() > 255 * _MOST else found


def _of_one_color(levels: Array, how: int) -> tuple[Array, float]:
    """Return light or dark strokes (H, W), 0 or 255, and a score for being text: contrast times uniformity of color.

    Text has one color; other details that stand out, such as leaves, have many.
    """
    reach = max(3, int(min(levels.shape[:2]) * _WIDEST_STROKE)) | 1
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    standing_out = cv2.morphologyEx(levels, how, window).max(axis=2)
    clearly = standing_out >= max(float(np.percentile(standing_out, 92)), _FAINTEST)
    if not clearly.any():
        return np.zeros_like(standing_out), 0.0
    colour = np.median(levels[clearly], axis=0)
    alike = np.abs(levels.astype(np.float32) - colour).max(axis=2) < _ALIKE
    sure = float(alike[clearly].mean() * standing_out[clearly].mean())
    return (alike & (standing_out > _FAINTEST)).astype(np.uint8) * 255, sure
