"""Saliency of an image, by faces, edges, detail and color of a downscaled copy; and the crop box that covers most of
it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from lib_ti.prep.crop_box import WHOLE, CropBox
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.recipe.crop import shaped

Array = npt.NDArray[Any]

_SIDE = 192
"""Longer side of the map in pixels: enough to place a crop box within a hundredth of the image."""
_FACE_SIDE = 256
"""Longer side in pixels of the copy on which faces are detected."""
_LEVELS = 16
"""Levels of contrast that local entropy distinguishes."""
_WINDOW = 15
"""Side in pixels of the window in which entropy is computed."""
_EDGES, _ENTROPY, _COLOR, _FACES = 1.0, 0.5, 1.0, 6.0
"""Weights: edges, entropy and color each have a mean of 1 over the image; a face outweighs its surroundings."""
_CENTER = 0.4
"""How much less the image's edge weighs than its center, where photographers put their subjects."""
_CASCADE = "haarcascade_frontalface_alt2.xml"


@dataclass(frozen=True)
class Saliency:
    """Saliency map (h, w) of an image, and the number of ``faces``; None where there is no face detector."""

    map: Array
    faces: int | None


class FaceDetector:
    """Face detector of OpenCV; ``available`` is false where its data file is missing.

    Detectors are not thread-safe, so each thread has its own.
    """

    def __init__(self) -> None:
        self._file = Path(getattr(getattr(cv2, "data", None), "haarcascades", ".")) / _CASCADE
        self._own = threading.local()

    @property
    def available(self) -> bool:
        return self._file.is_file()

    def find(self, grey: Array) -> list[tuple[int, int, int, int]]:
        """Return boxes (left, top, width, height) of the faces on a grey image (h, w)."""
        if not hasattr(self._own, "detector"):
            self._own.detector = cv2.CascadeClassifier(str(self._file))
        least = max(20, min(grey.shape) // 10)
        boxes = self._own.detector.detectMultiScale(grey, 1.2, 4, minSize=(least, least))
        return [(int(left), int(top), int(width), int(height)) for left, top, width, height in boxes]


def saliency(layered: LayeredImage, faces: FaceDetector) -> Saliency:
    """Compute the saliency of an image, reduced where it is transparent or masked."""
    small = np.asarray(_downscaled(layered.image, _FACE_SIDE))
    boxes = faces.find(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)) if faces.available else []
    height, width = small.shape[:2]
    size = _downscaled_size((width, height), _SIDE)
    detail = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    edges = _edges(cv2.cvtColor(detail, cv2.COLOR_RGB2GRAY))
    total = _EDGES * _normalized(cv2.GaussianBlur(edges, (0, 0), 3))
    total += _ENTROPY * _normalized(_entropy(edges))
    total += _COLOR * _normalized(_color(detail))
    scale = size[0] / width
    for left, top, across, down in boxes:
        total += _FACES * _bump(total.shape, (left + across / 2) * scale, (top + down / 2) * scale, across * scale)
    total *= 1 - _CENTER + _CENTER * _bump(total.shape, size[0] / 2, size[1] / 2, max(size))
    for layer in (layered.alpha, layered.mask):
        if layer is not None:
            total *= np.asarray(layer.resize(size, Image.Resampling.BOX), dtype=np.float32) / 255
    return Saliency(total, len(boxes) if faces.available else None)


def best_crop_box(found: Saliency, image: tuple[int, int], shape: tuple[int, int]) -> CropBox:
    """Return the largest box of the aspect ratio of ``shape`` on an image, placed where it covers most saliency."""
    single = shaped(WHOLE, image, shape)
    if single.width < 1:
        return CropBox(_best_start(found.map.sum(axis=0), single.width), 0.0, single.width, 1.0)
    return CropBox(0.0, _best_start(found.map.sum(axis=1), single.height), 1.0, single.height)


def _best_start(profile: Array, length: float) -> float:
    """Return where, as a fraction, a window of ``length`` covers most of ``profile``; the mean of several such
    places."""
    sums = np.concatenate([[0.0], np.cumsum(profile, dtype=np.float64)])
    borders = np.linspace(0, 1, len(sums))
    starts = np.linspace(0, 1 - length, 2 * len(profile))
    held = np.interp(starts + length, borders, sums) - np.interp(starts, borders, sums)
    best = starts[held >= held.max() - 1e-3 * max(sums[-1], 1e-9)]
    return float(min(max(best.mean(), 0.0), 1 - length))


def _edges(grey: Array) -> Array:
    # The root keeps one hard edge, such as a horizon, from outweighing a subject in soft tones.
    return np.sqrt(cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)))


def _entropy(edges: Array) -> Array:
    """Local entropy of contrast in bits: 0 in plain areas and in smooth gradients."""
    levels = (edges * (_LEVELS / 32)).clip(0, _LEVELS - 1).astype(np.uint8)
    total = np.zeros_like(edges)
    for level in range(_LEVELS):
        share = cv2.boxFilter((levels == level).astype(np.float32), -1, (_WINDOW, _WINDOW))
        total -= share * np.log2(np.maximum(share, 1e-6))
    return total


def _color(detail: Array) -> Array:
    """Distance of each pixel's color from the image's mean color."""
    lab = cv2.GaussianBlur(cv2.cvtColor(detail, cv2.COLOR_RGB2LAB), (0, 0), 2).astype(np.float32)
    return np.linalg.norm(lab - lab.mean(axis=(0, 1)), axis=2)


def _normalized(values: Array) -> Array:
    """Scale to a mean of 1; all zeros stay."""
    return values / max(float(values.mean()), 1e-6)


def _bump(shape: tuple[int, ...], x: float, y: float, width: float) -> Array:
    """Gaussian with the value 1 at (x, y) and a radius of about ``width``."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.exp(-2 * ((columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2) / max(width, 1.0) ** 2).astype(np.float32)


def _downscaled(image: Image.Image, side: int) -> Image.Image:
    size = _downscaled_size(image.size, side)
    return image if size == image.size else image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.5)


def _downscaled_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
