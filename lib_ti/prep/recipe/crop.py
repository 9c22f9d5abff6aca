"""Crop boxes by shape and by splitting, cropping, and flipping. Pure geometry."""

from __future__ import annotations

import math
import re

from PIL import Image

from lib_ti.prep.crop_box import ROUNDING, WHOLE, CropBox
from lib_ti.prep.layered_image import LayeredImage


def shaped(box: CropBox, image: tuple[int, int], shape: tuple[int, int]) -> CropBox:
    """Return the largest box within ``box``, around its middle, with the aspect ratio of ``shape`` (width, height)."""
    width, height = box.width * image[0], box.height * image[1]
    scale = min(width / shape[0], height / shape[1])
    inner_width, inner_height = shape[0] * scale / image[0], shape[1] * scale / image[1]
    x = box.x + (box.width - inner_width) / 2
    y = box.y + (box.height - inner_height) / 2
    return CropBox(x, y, inner_width, inner_height)


def split_boxes(
    image: tuple[int, int], shape: tuple[int, int], *, threshold: float, overlap: float
) -> tuple[CropBox, ...]:
    """Return boxes of the aspect ratio of ``shape`` that cover a long image; none for an image that is not long enough.

    Like the WebUI's splitting of oversized images: evenly along the longer side, each box as high (or wide) as the
    image.

    Parameters
    ----------
    threshold
        The image is split when the largest single box would cover no more than this fraction of it.
    overlap
        Fraction of each box that the next one covers too, at least.
    """
    single = shaped(WHOLE, image, shape)
    side = min(single.width, single.height)
    if side > threshold or side > 1 - ROUNDING:
        return ()
    count = max(2, math.ceil((1 - side * overlap) / (side * (1 - overlap)) - ROUNDING))
    starts = [(1 - side) * number / (count - 1) for number in range(count)]
    if single.width < single.height:
        return tuple(CropBox(start, 0.0, side, 1.0) for start in starts)
    return tuple(CropBox(0.0, start, 1.0, side) for start in starts)


def crop(layered: LayeredImage, box: CropBox, how: str) -> LayeredImage:
    """Crop an image. ``how`` is for the record and says who placed the box, such as ``"by hand"``."""
    if box == WHOLE:
        return layered
    pixels = box.pixels(layered.image.size)
    fractions = [round(value, 6) for value in (box.x, box.y, box.width, box.height)]
    return layered.changed(lambda layer: layer.crop(pixels), {"operation": "crop", "crop_box": fractions, "how": how})


def flip(layered: LayeredImage) -> LayeredImage:
    """Mirror an image horizontally."""
    return layered.changed(lambda layer: layer.transpose(Image.Transpose.FLIP_LEFT_RIGHT), {"operation": "flip"})


def swap_left_right(text: str) -> str:
    """Exchange the words left and right, also in leftmost, rightward and the like; case is preserved."""

    def other(match: re.Match[str]) -> str:
        word = match.group()
        swapped = "right" if word.lower() == "left" else "left"
        return swapped.upper() if word.isupper() else swapped.capitalize() if word[0].isupper() else swapped

    return re.sub(r"\b(?:left|right)(?=(?:most|wards?|hand|handed)?\b)", other, text, flags=re.IGNORECASE)
