"""Where a picture's subject is, by faces, edges, detail and colour of a small copy; and the frame that shows it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from lib_ti.prep.crop_box import WHOLE, Frame
from lib_ti.prep.layered_image import Piece
from lib_ti.prep.recipe.crop import shaped

Array = npt.NDArray[Any]

_SIDE = 192
"""Pixels of the longer side of the map: enough to place a frame within a hundredth of the picture."""
_FACE_SIDE = 256
"""Pixels of the longer side of the copy on which faces are searched."""
_LEVELS = 16
"""Steps of contrast that local entropy tells apart."""
_WINDOW = 15
"""Pixels of the map's window in which entropy is taken."""
_EDGES, _ENTROPY, _COLOUR, _FACES = 1.0, 0.5, 1.0, 6.0
"""Weights: edges, entropy and colour each have a mean of 1 over the picture; a face outweighs what is around it."""
_CENTRE = 0.4
"""How much less a place at the edge counts than one in the middle, where people put their subjects."""
_CASCADE = "haarcascade_frontalface_alt2.xml"


@dataclass(frozen=True)
class Saliency:
    """How much each place (h, w) of a picture stands out; ``faces`` were found, None where nothing looks for them."""

    map: Array
    faces: int | None


class FaceFinder:
    """Looks for faces with the detector that comes with OpenCV; ``available`` is false where it does not.

    A detector keeps notes while it works, so that each thread gets its own.
    """

    def __init__(self) -> None:
        self._file = Path(getattr(getattr(cv2, "data", None), "haarcascades", ".")) / _CASCADE
        self._own = threading.local()

    @property
    def available(self) -> bool:
        return self._file.is_file()

    def find(self, grey: Array) -> list[tuple[int, int, int, int]]:
        """Boxes (left, top, width, height) of faces on a grey picture (h, w)."""
        if not hasattr(self._own, "detector"):
            self._own.detector = cv2.CascadeClassifier(str(self._file))
        least = max(20, min(grey.shape) // 10)
        boxes = self._own.detector.detectMultiScale(grey, 1.2, 4, minSize=(least, least))
        return [(int(left), int(top), int(width), int(height)) for left, top, width, height in boxes]


def saliency(piece: Piece, faces: FaceFinder) -> Saliency:
    """What stands out in a picture, less where it is transparent or masked."""
    small = np.asarray(_reduced(piece.image, _FACE_SIDE))
    boxes = faces.find(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)) if faces.available else []
    height, width = small.shape[:2]
    size = _reduced_size((width, height), _SIDE)
    detail = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    edges = _edges(cv2.cvtColor(detail, cv2.COLOR_RGB2GRAY))
    total = _EDGES * _evened(cv2.GaussianBlur(edges, (0, 0), 3))
    total += _ENTROPY * _evened(_entropy(edges))
    total += _COLOUR * _evened(_colour(detail))
    scale = size[0] / width
    for left, top, across, down in boxes:
        total += _FACES * _bump(total.shape, (left + across / 2) * scale, (top + down / 2) * scale, across * scale)
    total *= 1 - _CENTRE + _CENTRE * _bump(total.shape, size[0] / 2, size[1] / 2, max(size))
    for layer in (piece.alpha, piece.mask):
        if layer is not None:
            total *= np.asarray(layer.resize(size, Image.Resampling.BOX), dtype=np.float32) / 255
    return Saliency(total, len(boxes) if faces.available else None)


def best_frame(found: Saliency, picture: tuple[int, int], shape: tuple[int, int]) -> Frame:
    """The largest frame of the aspect ratio of ``shape`` on a picture, where it holds most of what stands out."""
    single = shaped(WHOLE, picture, shape)
    if single.width < 1:
        return Frame(_best_start(found.map.sum(axis=0), single.width), 0.0, single.width, 1.0)
    return Frame(0.0, _best_start(found.map.sum(axis=1), single.height), 1.0, single.height)


def _best_start(profile: Array, length: float) -> float:
    """Where, in shares, a window of ``length`` holds most of ``profile``; of several such places their middle."""
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
    """How many kinds of contrast there are around each place, in bits: none in plain areas, nor in smooth shades."""
    levels = (edges * (_LEVELS / 32)).clip(0, _LEVELS - 1).astype(np.uint8)
    total = np.zeros_like(edges)
    for level in range(_LEVELS):
        share = cv2.boxFilter((levels == level).astype(np.float32), -1, (_WINDOW, _WINDOW))
        total -= share * np.log2(np.maximum(share, 1e-6))
    return total


def _colour(detail: Array) -> Array:
    """How far the colour of each place is from the picture's mean colour."""
    lab = cv2.GaussianBlur(cv2.cvtColor(detail, cv2.COLOR_RGB2LAB), (0, 0), 2).astype(np.float32)
    return np.linalg.norm(lab - lab.mean(axis=(0, 1)), axis=2)


def _evened(values: Array) -> Array:
    """With a mean of 1; all zeros stay."""
    return values / max(float(values.mean()), 1e-6)


def _bump(shape: tuple[int, ...], x: float, y: float, width: float) -> Array:
    """1 at (x, y), falling off over ``width`` as a bell does."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.exp(-2 * ((columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2) / max(width, 1.0) ** 2).astype(np.float32)


def _reduced(image: Image.Image, side: int) -> Image.Image:
    size = _reduced_size(image.size, side)
    return image if size == image.size else image.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.5)


def _reduced_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
