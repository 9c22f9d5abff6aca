"""Crop boxes on images.

A box is given in fractions of the image as it is seen, after its EXIF rotation, so that it fits the image at every size
at which it is decoded or shown.
"""

from __future__ import annotations

from dataclasses import dataclass

PixelBox = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""

ROUNDING = 1e-6
"""Fractions within this of the image's edge are on it."""


@dataclass(frozen=True)
class CropBox:
    """A region of an image; all values are fractions of its width or height, within 0..1."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        sides = ((self.x, self.width), (self.y, self.height))
        if not all(start >= -ROUNDING and length > 0 and start + length <= 1 + ROUNDING for start, length in sides):
            raise ValueError(f"{self} is not within its image")

    def pixels(self, size: tuple[int, int]) -> PixelBox:
        """Return left, top, right and bottom on an image of ``size``; at least one pixel in each direction."""
        left, right = _to_pixels(self.x, self.width, size[0])
        top, bottom = _to_pixels(self.y, self.height, size[1])
        return left, top, right, bottom

    def size(self, image: tuple[int, int]) -> tuple[int, int]:
        """Return width and height in pixels on an image of that size."""
        left, top, right, bottom = self.pixels(image)
        return right - left, bottom - top

    def overlap(self, other: CropBox) -> float:
        """Return intersection over union: 1 for equal boxes, 0 for boxes that do not touch."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        both = max(0.0, width) * max(0.0, height)
        return both / (self.width * self.height + other.width * other.height - both)


WHOLE = CropBox(0.0, 0.0, 1.0, 1.0)


def _to_pixels(start: float, length: float, pixels: int) -> tuple[int, int]:
    """Return the first and last border of a region, in whole pixels of a side with so many."""
    count = min(pixels, max(1, round(length * pixels)))
    first = min(pixels - count, max(0, round(start * pixels)))
    return first, first + count
