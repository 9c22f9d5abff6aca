"""The part of a picture that a model draws anew: cut out at the model's size, and put back without a seam.

The same for all hosts. A model redraws whole cells of 8 × 8 pixels, and what it draws of the rest differs a little from
the picture; so nothing but what was asked for is taken from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from lib_ti.families.family import VAE_SCALE_FACTOR

CELL = VAE_SCALE_FACTOR
STRENGTH = 0.75
"""How far a part is noised before it is drawn anew, 1 being all noise, from which models draw a new thing where one was
to be erased (the WebUI's default for img2img)."""
FULL_MEMORY = (
    "There was not enough memory to fill the part by the model; paint over less at once, or choose a plain fill."
)
_AROUND = 0.5
"""What is seen on each side of the part, in units of its length in that direction."""
_LARGEST = 1.5
"""Longest mean side at which a patch is drawn, in units of the model's: beyond that models repeat themselves."""
_SMEARS = (1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32)
"""Radii of the blurs that fill a part with its surroundings, in units of the patch's side, coarse to fine."""
_RING = 16
"""Pixels around the part in which drawn and given colours are compared."""


@dataclass(frozen=True)
class Patch:
    """A part of a picture, at the size at which the model draws it.

    ``box`` is its place (left, top, right, bottom) in the picture. In ``image`` (RGB, sides multiples of 8) what is to
    be drawn has the colours of its surroundings; ``mask`` ("L", 0 or 255) covers that in whole cells.
    """

    box: tuple[int, int, int, int]
    image: Image.Image
    mask: Image.Image


def cut_out(picture: Image.Image, mask: Image.Image, side: int) -> Patch | None:
    """The patch of an RGB picture for what a mask ("L", of its size) has above 127; None when that is nothing.

    ``side`` is that of the pictures that the model was made for.
    """
    wanted = _sure(mask)
    inner = wanted.getbbox()
    if inner is None:
        return None
    box = _around(inner, picture.size, side)
    size = _drawn_size((box[2] - box[0], box[3] - box[1]), side)
    image = picture.crop(box).resize(size, Image.Resampling.LANCZOS)
    cells = size[0] // CELL, size[1] // CELL
    # A cell with a single pixel of what is wanted is drawn; as floats, its mean is not rounded to nothing.
    covered = np.asarray(wanted.crop(box).convert("F").resize(cells, Image.Resampling.BOX)) > 0
    grown = Image.fromarray(covered.astype(np.uint8) * 255).resize(size, Image.Resampling.NEAREST)
    return Patch(box, _smeared(image, grown), grown)


def put_back(picture: Image.Image, mask: Image.Image, patch: Patch, drawn: Image.Image) -> Image.Image:
    """The picture with what the mask has above 127 taken from ``drawn``, the patch's image drawn anew."""
    left, top, right, bottom = patch.box
    given = picture.crop(patch.box)
    wanted = _sure(mask).crop(patch.box)
    new = _matched(drawn.resize((right - left, bottom - top), Image.Resampling.LANCZOS), given, wanted)
    result = picture.copy()
    result.paste(new, (left, top), wanted)
    return result


def _sure(mask: Image.Image) -> Image.Image:
    return mask.point(lambda level: 255 * (level > 127))


def _around(inner: tuple[int, int, int, int], size: tuple[int, int], side: int) -> tuple[int, int, int, int]:
    """The inner box with its surroundings, as large as what the model draws where the picture is."""
    bounds = []
    for axis in (0, 1):
        length = min(size[axis], max(side, round((inner[axis + 2] - inner[axis]) * (1 + 2 * _AROUND))))
        middle = (inner[axis] + inner[axis + 2]) / 2
        start = min(max(0, round(middle - length / 2)), size[axis] - length)
        bounds.append((start, start + length))
    (left, right), (top, bottom) = bounds
    return left, top, right, bottom


def _drawn_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    """A patch's size where it is drawn: about as many pixels as the model was made for, up to somewhat more."""
    mean = math.sqrt(size[0] * size[1])
    factor = min(max(mean, side), _LARGEST * side) / mean
    width, height = (max(CELL, round(length * factor / CELL) * CELL) for length in size)
    return width, height


def _smeared(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The image with the masked part filled from what surrounds it, the nearer the clearer."""
    known = image.convert("RGBA")
    known.putalpha(mask.point(lambda level: 255 - level))
    filled = Image.new("RGBA", image.size, _mean_colour(image, mask))
    for radius in _SMEARS:
        # Premultiplied, so that what is to be drawn lends no colour to the blur.
        blurred = known.convert("RGBa").filter(ImageFilter.BoxBlur(radius * max(image.size)))
        filled.alpha_composite(blurred.convert("RGBA"))
    filled.alpha_composite(known)
    return filled.convert("RGB")


def _mean_colour(image: Image.Image, mask: Image.Image) -> tuple[int, int, int]:
    kept = np.asarray(image)[np.asarray(mask) == 0]
    red, green, blue = kept.mean(axis=0).round().astype(int) if len(kept) else (127, 127, 127)
    return int(red), int(green), int(blue)


def _matched(drawn: Image.Image, given: Image.Image, wanted: Image.Image) -> Image.Image:
    """What was drawn, in the tone of what is given around it: autoencoders shift colours, which shows at the edges."""
    near = np.asarray(wanted.filter(ImageFilter.BoxBlur(_RING))) > 0
    ring = near & (np.asarray(wanted) == 0)
    if not ring.any():
        return drawn
    levels, target = np.asarray(drawn, dtype=np.float32), np.asarray(given, dtype=np.float32)
    shift = (target[ring] - levels[ring]).mean(axis=0)
    return Image.fromarray((levels + shift).round().clip(0, 255).astype(np.uint8))
