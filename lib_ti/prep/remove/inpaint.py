"""Inpaint painted regions of an image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image

from lib_ti.errors import BadInput
from lib_ti.host.tools import Inpainter
from lib_ti.prep.crop_box import PixelBox
from lib_ti.prep.edits import RemovedRegion
from lib_ti.prep.remove import exemplar
from lib_ti.prep.remove.patches import InpaintedPatch
from lib_ti.wording import quoted

AUTO, EXEMPLAR, SCRATCHES, MODEL = "auto", "patchmatch", "telea", "model"
_OPENCV_METHODS = {SCRATCHES: cv2.INPAINT_TELEA, "ns": cv2.INPAINT_NS}
_RADIUS = 3
"""Neighborhood in pixels of OpenCV's methods; a larger one smears, and takes several times as long."""
_OPENCV_MARGIN = 16
"""Pixels around the painted region that OpenCV's methods are given; the other methods crop as they need."""
_THIN = 3.0
"""Largest distance in pixels to the edge within a scratch: there OpenCV's methods have less error than a texture."""


@dataclass(frozen=True)
class FillMethod:
    """A method of inpainting.

    ``"telea"`` and ``"ns"`` use the surrounding pixels, ``"patchmatch"`` copies texture, ``"model"`` uses
    ``inpainter``, and ``"auto"`` is one of the first three, see :meth:`for_mask`.
    """

    method: str
    inpainter: Inpainter | None = None
    prompt: str = ""
    seed: int = 0
    model: str = ""

    @property
    def record(self) -> tuple[str, str, int, str]:
        """Method, prompt, seed and model as they are recorded, as far as the method depends on them."""
        if self.method == EXEMPLAR:
            return self.method, "", self.seed, ""
        return (self.method, self.prompt, self.seed, self.model) if self.method == MODEL else (self.method, "", 0, "")

    def for_mask(self, mask: Image.Image) -> FillMethod:
        """Return the method with ``"auto"`` replaced: by PatchMatch, or by Telea where that is not installed.

        Telea is also for scratches, and where more than half of the image is painted over, little to copy from.
        ``mask`` is one of :func:`binarize`.
        """
        if self.method != AUTO:
            return self
        return replace(self, method=EXEMPLAR if exemplar.available() and _suits_exemplar(mask) else SCRATCHES)

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


def plain_methods() -> tuple[str, ...]:
    """Return the methods to compare that need no model: PatchMatch, where it is installed, and OpenCV's."""
    return (*((EXEMPLAR,) if exemplar.available() else ()), *_OPENCV_METHODS)


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
    method = method.for_mask(mask)
    opencv = method.method in _OPENCV_METHODS
    around = _widened(box, _OPENCV_MARGIN, image.size) if opencv else (0, 0, *image.size)
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
    if method.method == EXEMPLAR:
        if not exemplar.available():
            raise BadInput(
                f"Fill method is 'patchmatch', whose package is not installed here: install it with "
                f"{exemplar.INSTALL}, or choose auto, telea or ns."
            )
        return exemplar.fill(image, mask, method.seed)
    if method.method != MODEL:
        known = ", ".join((AUTO, EXEMPLAR, *_OPENCV_METHODS, MODEL))
        raise BadInput(f"Fill method is {quoted(method.method)}; choose one of {known}.")
    if method.inpainter is None:
        raise BadInput("Fill method is 'model', and no model is loaded for it; choose auto, telea or ns.")
    return method.inpainter.fill(image, mask, prompt=method.prompt, seed=method.seed)


def _suits_exemplar(mask: Image.Image) -> bool:
    inside = np.pad(np.asarray(mask.crop(mask.getbbox())), 1)
    wide = float(cv2.distanceTransform(inside, cv2.DIST_L2, 3).max()) > _THIN
    return wide and mask.histogram()[255] <= mask.width * mask.height / 2


def _widened(box: PixelBox, margin: int, size: tuple[int, int]) -> PixelBox:
    left, top, right, bottom = box
    return max(0, left - margin), max(0, top - margin), min(size[0], right + margin), min(size[1], bottom + margin)
