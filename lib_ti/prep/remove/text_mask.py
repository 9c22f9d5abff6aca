"""The strokes of lettering within regions: a mask for erasing that leaves what is between the letters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from PIL import Image

from lib_ti.prep.remove.inpaint import Box

Array = np.ndarray[Any, Any]
_WIDEST_STROKE = 0.3
"""Of a region's shorter side; what is wider is no stroke."""
_FAINTEST = 12
"""Levels of 255 by which a stroke differs from what is around it, at the least."""
_ALIKE = 48
"""Levels of 255 by which the colour of strokes differs at the most."""
_BORDER = 0.05
"""Strokes are widened by this share of the region's shorter side, for their soft edges and shadows."""
_MOST = 0.7
"""Where strokes cover more of a region than that, they were not told apart, and the whole region is taken."""


def lettering_mask(image: Image.Image, boxes: Iterable[Box]) -> Image.Image:
    """A mask ("L", 0 or 255) for :func:`lib_ti.prep.remove.inpaint.fill`: the strokes within boxes of an RGB picture.

    Much more is left of the picture than where whole boxes are filled. A box (left, top, right, bottom) in which no
    strokes can be told apart is taken as a whole.
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
    ways = [_of_one_colour(levels, how) for how in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)]
    found, _ = max(ways, key=lambda one: one[1])
    border = max(1, round(side * _BORDER)) * 2 + 1
    found = cv2.dilate(found, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (border, border)))
    return np.full_like(found, 255) if not found.any() or found.mean() > 255 * _MOST else found


def _of_one_colour(levels: Array, how: int) -> tuple[Array, float]:
    """Light or dark strokes (H, W), 0 or 255, and how sure they are lettering: how clear, and how much of one colour.

    Lettering has one colour, and what else stands out, such as leaves, has many.
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
