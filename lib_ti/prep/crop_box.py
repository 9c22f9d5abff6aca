"""Crop boxes on images.

A box is given in shares of the image as it is seen, after its EXIF rotation, so that it fits the image at every size at
which it is decoded or shown.
"""

from __future__ import annotations

from dataclasses import dataclass

ROUNDING = 1e-6
"""Shares within this of the picture's edge are on it."""


@dataclass(frozen=True)
class Frame:
    """A part of a picture; all in shares of its width or height, within 0..1."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        sides = ((self.x, self.width), (self.y, self.height))
        if not all(start >= -ROUNDING and length > 0 and start + length <= 1 + ROUNDING for start, length in sides):
            raise ValueError(f"{self} is not within its picture")

    def pixels(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The frame on a picture of ``size``: left, top, right, bottom, at least one pixel in each direction."""
        left, right = _whole(self.x, self.width, size[0])
        top, bottom = _whole(self.y, self.height, size[1])
        return left, top, right, bottom

    def size(self, picture: tuple[int, int]) -> tuple[int, int]:
        left, top, right, bottom = self.pixels(picture)
        return right - left, bottom - top

    def overlap(self, other: Frame) -> float:
        """The share of what either frame holds that both hold: 1 for equal frames, 0 for frames apart."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        both = max(0.0, width) * max(0.0, height)
        return both / (self.width * self.height + other.width * other.height - both)


WHOLE = Frame(0.0, 0.0, 1.0, 1.0)


def _whole(start: float, length: float, pixels: int) -> tuple[int, int]:
    """First and last border, in whole pixels, of a part given in shares."""
    count = min(pixels, max(1, round(length * pixels)))
    first = min(pixels - count, max(0, round(start * pixels)))
    return first, first + count
