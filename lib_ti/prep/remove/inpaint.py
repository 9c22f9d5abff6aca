"""Erasing: what is painted over is filled, and the filling kept as a patch, so that it is made only once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from lib_ti.errors import BadInput
from lib_ti.host.tools import Inpainter
from lib_ti.prep.edits import Erased
from lib_ti.prep.remove.patches import Patch
from lib_ti.wording import quoted

MODEL = "model"
_PLAIN_METHODS = {"telea": cv2.INPAINT_TELEA, "ns": cv2.INPAINT_NS}
_RADIUS = 3
"""Pixels around each one that the plain methods look at; more smears, and takes a multiple of the time."""
_PLAIN_MARGIN = 16
"""Pixels around the painted part that the plain methods are given; a model's host takes what it needs."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Filling:
    """How a part is filled: ``"telea"`` and ``"ns"`` from what surrounds it, ``"model"`` by ``inpainter``."""

    method: str
    inpainter: Inpainter | None = None
    prompt: str = ""
    seed: int = 0
    model: str = ""

    @property
    def told(self) -> tuple[str, str, int, str]:
        """What is recorded of it; prompt, seed and model only where a model fills."""
        return (self.method, self.prompt, self.seed, self.model) if self.method == MODEL else (self.method, "", 0, "")

    def made(self, patch: Patch, mask: Image.Image) -> bool:
        """Whether a patch is what this filling gives for a mask of :func:`painted`."""
        erased = patch.erased
        return (
            (erased.method, erased.prompt, erased.seed, erased.model) == self.told
            and erased.box == mask.getbbox()
            and patch.pixels.getchannel("A").tobytes() == mask.crop(erased.box).tobytes()
        )


def painted(mask: Image.Image) -> Image.Image:
    """A mask ("L") as black and white: what is above 127 is painted over."""
    return mask.point([0] * 128 + [255] * 128)


def mask_of(boxes: Iterable[Box], size: tuple[int, int], *, margin: int = 0) -> Image.Image:
    """A mask for :func:`fill` that covers boxes (left, top, right, bottom) and a margin around each."""
    mask = Image.new("L", size)
    for box in boxes:
        mask.paste(255, _widened(box, margin, size))
    return mask


def fill(image: Image.Image, mask: Image.Image, filling: Filling) -> Patch:
    """Fill what the mask ("L", of the picture's size) has above 127; the picture itself is left as it is.

    Raises
    ------
    BadInput
        When nothing is painted, or everything, or the method is not possible.
    """
    mask = painted(mask)
    box = mask.getbbox()
    if box is None:
        raise BadInput("Nothing is painted over; paint over what is to be erased.")
    if mask.getextrema() == (255, 255):
        raise BadInput("The whole picture is painted over, so that nothing is left to fill it from; paint less.")
    around = (0, 0, *image.size) if filling.method == MODEL else _widened(box, _PLAIN_MARGIN, image.size)
    filled = _filled(image.crop(around), mask.crop(around), filling)
    inner = (box[0] - around[0], box[1] - around[1], box[2] - around[0], box[3] - around[1])
    pixels = filled.crop(inner)
    pixels.putalpha(mask.crop(box))
    name = hashlib.sha256(repr((box, filling.told)).encode() + pixels.tobytes()).hexdigest()[:24]
    return Patch(Erased(name, box, *filling.told), pixels)


def _filled(image: Image.Image, mask: Image.Image, filling: Filling) -> Image.Image:
    plain = _PLAIN_METHODS.get(filling.method)
    if plain is not None:
        return Image.fromarray(cv2.inpaint(np.asarray(image), np.asarray(mask), _RADIUS, plain))
    if filling.method != MODEL:
        raise BadInput(f"Fill method is {quoted(filling.method)}; choose one of {', '.join((*_PLAIN_METHODS, MODEL))}.")
    if filling.inpainter is None:
        raise BadInput("Fill method is 'model', and no model is lent for it; choose telea or ns.")
    return filling.inpainter.fill(image, mask, prompt=filling.prompt, seed=filling.seed)


def _widened(box: Box, margin: int, size: tuple[int, int]) -> Box:
    left, top, right, bottom = box
    return max(0, left - margin), max(0, top - margin), min(size[0], right + margin), min(size[1], bottom + margin)
