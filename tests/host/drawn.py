"""Images and masks for the tools of hosts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def painted(size: tuple[int, int], *boxes: Sequence[int]) -> Image.Image:
    """Return a mask that is white in the boxes, their edges included."""
    mask = Image.new("L", size)
    for box in boxes:
        ImageDraw.Draw(mask).rectangle(tuple(box), fill=255)
    return mask
