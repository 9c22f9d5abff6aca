"""Frames on pictures, and cutting them out: by hand, by shape, split, flipped. Pure geometry."""

from __future__ import annotations

import math
import re

from PIL import Image

from lib_ti.prep.crop_box import ROUNDING, WHOLE, Frame
from lib_ti.prep.layered_image import Piece


def shaped(frame: Frame, picture: tuple[int, int], shape: tuple[int, int]) -> Frame:
    """The largest frame within ``frame``, around its middle, that has the aspect ratio of ``shape`` (width, height)."""
    width, height = frame.width * picture[0], frame.height * picture[1]
    scale = min(width / shape[0], height / shape[1])
    inner_width, inner_height = shape[0] * scale / picture[0], shape[1] * scale / picture[1]
    x = frame.x + (frame.width - inner_width) / 2
    y = frame.y + (frame.height - inner_height) / 2
    return Frame(x, y, inner_width, inner_height)


def split_frames(
    picture: tuple[int, int], shape: tuple[int, int], *, threshold: float, overlap: float
) -> tuple[Frame, ...]:
    """Frames of the aspect ratio of ``shape`` that cover a long picture; none for a picture that is not long enough.

    As the WebUI splits oversized images: along the longer way, evenly, each part as high (or wide) as the picture.

    Parameters
    ----------
    threshold
        The picture is split when the largest single frame would hold no more than this share of it.
    overlap
        The share of each frame that the next one holds too, at the least.
    """
    single = shaped(WHOLE, picture, shape)
    part = min(single.width, single.height)
    if part > threshold or part > 1 - ROUNDING:
        return ()
    count = max(2, math.ceil((1 - part * overlap) / (part * (1 - overlap)) - ROUNDING))
    starts = [(1 - part) * number / (count - 1) for number in range(count)]
    if single.width < single.height:
        return tuple(Frame(start, 0.0, part, 1.0) for start in starts)
    return tuple(Frame(0.0, start, 1.0, part) for start in starts)


def crop(piece: Piece, frame: Frame, how: str) -> Piece:
    """What the frame shows. ``how`` says for the record who placed it, such as ``"by hand"``."""
    if frame == WHOLE:
        return piece
    box = frame.pixels(piece.image.size)
    shares = [round(share, 6) for share in (frame.x, frame.y, frame.width, frame.height)]
    return piece.changed(lambda layer: layer.crop(box), {"operation": "crop", "frame": shares, "how": how})


def flip(piece: Piece) -> Piece:
    """The mirrored picture."""
    return piece.changed(lambda layer: layer.transpose(Image.Transpose.FLIP_LEFT_RIGHT), {"operation": "flip"})


def swap_sides(text: str) -> str:
    """The words left and right, and leftmost and the like, exchanged; capital letters stay where they are."""

    def other(match: re.Match[str]) -> str:
        word = match.group()
        swapped = "right" if word.lower() == "left" else "left"
        return swapped.upper() if word.isupper() else swapped.capitalize() if word[0].isupper() else swapped

    return re.sub(r"\b(?:left|right)(?=(?:most|wards?|hand|handed)?\b)", other, text, flags=re.IGNORECASE)
