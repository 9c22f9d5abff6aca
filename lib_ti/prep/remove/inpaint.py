"""Inpaint painted regions of an image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from lib_ti.errors import BadInput
from lib_ti.host.tools import Inpainter
from lib_ti.prep.crop_box import PixelBox
from lib_ti.prep.edits import RemovedRegion
from lib_ti.prep.remove.patches import InpaintedPatch
from lib_ti.wording import quoted

MODEL = "model"
_OPENCV_METHODS = {"telea": cv2.INPAINT_TELEA, "ns": cv2.INPAINT_NS}
_RADIUS = 3
"""Neighborhood in pixels of OpenCV's methods; a larger one smears, and takes several times as long."""
_OPENCV_MARGIN = 16
"""Pixels around the painted region that OpenCV's methods are given; a host's inpainter crops as it needs."""


@dataclass(frozen=True)
class FillMethod:
    """A method of inpainting: ``"telea"`` and ``"ns"`` use the surrounding pixels, ``"model"`` uses ``inpainter``."""

    method: str
    inpainter: Inpainter | None = None
    prompt: str = ""
    seed: int = 0
    model: str = ""

    @property
    def record(self) -> tuple[str, str, int, str]:
        """Method, prompt, seed and model as they are recorded; the last three only where a model inpaints."""
        return (self.method, self.prompt, self.seed, self.model) if self.method == MODEL else (self.method, "", 0, "")

    def matches(self, patch: InpaintedPatch, mask: Image.Image) -> bool:
        """Whether a patch is what this method makes of a mask of :func:`binarize`."""
        region = patch.region
        return (
            (region.method, region.prompt, region.seed, region.model) == self.record
            and region.box == mask.getbbox()
            and patch.pixels.getchannel("A").tobytes() == mask.crop(region.box).tobytes()
        )


def binarize(mask: Image.Image) -> Image.Image:
    """Return a mask ("L") in black and white: above 127 is white, which is inpainted."""
    return mask.point([0] * 128 + [255] * 128)


def mask_from_boxes(boxes: Iterable[PixelBox], size: tuple[int, int], *, margin: int = 0) -> Image.Image:
    """Return a mask for :func:`inpaint` that covers boxes (left, top, right, bottom) with a margin around each."""
    mask = Image.new("L", size)
    for box in boxes:
        mask.paste(255, _widened(box, margin, size))
    return mask


def inpaint(image: Image.Image, mask: Image.Image, method: FillMethod) -> InpaintedPatch:
    """Inpaint the region where the mask ("L", of the image's size) is above 127; the image itself stays unchanged.

    Raises
    ------
    BadInput
        When nothing is painted, or everything, or the method is not available.
    """
    mask = binarize(mask)
    box = mask.getbbox()
    if box is None:
        raise BadInput("Nothing is painted; paint over the area to remove.")
    if mask.getextrema() == (255, 255):
        raise BadInput("The whole image is painted over, which leaves nothing to inpaint from; paint over less.")
    around = (0, 0, *image.size) if method.method == MODEL else _widened(box, _OPENCV_MARGIN, image.size)
    filled = _filled(image.crop(around), mask.crop(around), method)
    inner = (box[0] - around[0], box[1] - around[1], box[2] - around[0], box[3] - around[1])
    pixels = filled.crop(inner)
    pixels.putalpha(mask.crop(box))
    name = hashlib.sha256(repr((box, method.record)).encode() + pixels.tobytes()).hexdigest()[:24]
    return InpaintedPatch(RemovedRegion(name, box, *method.record), pixels)


def _filled(image: Image.Image, mask: Image.Image, method: FillMethod) -> Image.Image:
    opencv_method = _OPENCV_METHODS.get(method.method)
    if opencv_method is not None:
        return Image.fromarray(cv2.inpaint(np.asarray(image), np.asarray(mask), _RADIUS, opencv_method))
    if method.method != MODEL:
        known = ", ".join((*_OPENCV_METHODS, MODEL))
        raise BadInput(f"Fill method is {quoted(method.method)}; choose one of {known}.")
    if method.inpainter is None:
        raise BadInput("Fill method is 'model', and no model is loaded for it; choose telea or ns.")
    return method.inpainter.fill(image, mask, prompt=method.prompt, seed=method.seed)


def _widened(box: PixelBox, margin: int, size: tuple[int, int]) -> PixelBox:
    left, top, right, bottom = box
    return max(0, left - margin), max(0, top - margin), min(size[0], right + margin), min(size[1], bottom + margin)
