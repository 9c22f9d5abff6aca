"""Drawings as their own size and crop would show them: what pocket-xl learns its sizes from."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib_ti.host.model import Framing
from lib_ti.pocket.world import SIZE, Spec

_LARGER_SHARE = 0.3
"""Images whose own size is a multiple of what is seen: they look the same."""
_LARGEST = 4.0
_SMALLEST_SIDE = 20
_WIDEST_MARGIN = 32


def whole(rng: random.Random) -> Framing:
    """Return the framing of an image that is seen whole and sharp: its own size is at least that of a drawing."""
    return _larger(Framing.whole(SIZE, SIZE), rng)


def framed(image: NDArray[np.uint8], spec: Spec, rng: random.Random) -> tuple[NDArray[np.uint8], Framing]:
    """Return a drawing (64, 64, 3) as its framing shows it, and the framing, sampled by ``rng``.

    Either it was smaller and is blurred by enlarging, or it was wider or taller, its background going on at both
    sides, and was cropped. A drawing with a border is never wider, since its background is inside the border.
    """
    if "framed" in spec.elements or rng.random() < 0.5:
        return _upscaled(image, rng.randrange(_SMALLEST_SIDE, SIZE - 7))
    margin, upright = rng.randrange(6, _WIDEST_MARGIN + 1), rng.random() < 0.5
    crop = rng.randrange(margin + 1)
    seen, framing = cropped(image, margin, crop, upright=upright)
    return seen, _larger(framing, rng)


def _upscaled(image: NDArray[np.uint8], side: int) -> tuple[NDArray[np.uint8], Framing]:
    small = Image.fromarray(image).resize((side, side), Image.Resampling.BOX)
    seen = np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    return seen, Framing((side, side), (0, 0), (SIZE, SIZE))


def cropped(
    image: NDArray[np.uint8], margin: int, crop: int, *, upright: bool = False
) -> tuple[NDArray[np.uint8], Framing]:
    """Return what is seen of a drawing with a margin, split between both sides, from pixel ``crop`` of it on."""
    pads = ((margin // 2, margin - margin // 2), (0, 0))
    wide = np.pad(image, (*(pads if upright else pads[::-1]), (0, 0)), mode="edge")
    place = slice(crop, crop + SIZE)
    if upright:
        return wide[place], Framing((SIZE, SIZE + margin), (0, crop), (SIZE, SIZE))
    return wide[:, place], Framing((SIZE + margin, SIZE), (crop, 0), (SIZE, SIZE))


def _larger(framing: Framing, rng: random.Random) -> Framing:
    factor = rng.uniform(1.0, _LARGEST) if rng.random() < _LARGER_SHARE else 1.0
    width, height = framing.original
    return replace(framing, original=(round(width * factor), round(height * factor)))
