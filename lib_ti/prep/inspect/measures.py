"""All measures of one image.

They do not depend on the thresholds, so that changing a threshold measures nothing again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image

from lib_ti.prep.arrays import Array
from lib_ti.prep.inspect.duplicates import SIDE as FINGERPRINT_SIDE
from lib_ti.prep.inspect.exposure import Exposure, measure_exposure
from lib_ti.prep.inspect.fine_structure import FineStructure, fine_structure
from lib_ti.prep.inspect.tiles import select_tiles
from lib_ti.prep.remove.text_regions import INSPECTED_SIDE, downscaled_pixels, find_text

VERSION = 5
"""Changes whenever the same image would get other measures, so that older ones are not used."""

_EXPOSURE_SIDE = 256
_STANDARD_TABLE_SUM = 3688
"""Sum of the example luminance table in the JPEG standard, which most programs scale."""


@dataclass(frozen=True)
class Measures:
    """``text`` is the part of the image, in thousandths, that its surest region of text covers.

    ``jpeg_quality`` estimates the quality with which a JPEG file was saved, 1 to 100; 0 for other files.
    """

    structure: FineStructure
    exposure: Exposure
    text: float
    jpeg_quality: int

    def as_mapping(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Measures:
        """Reverse :meth:`as_mapping`; raise KeyError, TypeError or ValueError for any other mapping."""
        structure = values["structure"]
        return cls(
            FineStructure(
                sharpness=tuple(map(float, structure["sharpness"])),
                steadiness=tuple(map(float, structure["steadiness"])),
                noise=tuple(map(float, structure["noise"])),
                blocks=float(structure["blocks"]),
            ),
            Exposure(**values["exposure"]),
            float(values["text"]),
            int(values["jpeg_quality"]),
        )


def measure(image: Image.Image, *, jpeg_quality: int = 0) -> tuple[Measures, bytes]:
    """Measure an RGB image; also return its 32 × 32 grey levels for :mod:`lib_ti.prep.inspect.duplicates`.

    ``image`` is the whole image at its full size. Only parts of it are examined closely, so that this takes less time
    than decoding a large image.
    """
    pixels = downscaled_pixels(image, INSPECTED_SIDE)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    levels = _downscaled(grey, FINGERPRINT_SIDE, FINGERPRINT_SIDE)
    scale = min(1.0, _EXPOSURE_SIDE / max(grey.shape))
    small = _downscaled(grey, max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    text = max((region.share for region in find_text(pixels)), default=0.0)
    return Measures(fine_structure(select_tiles(image)), measure_exposure(small), text, jpeg_quality), levels.tobytes()


def at_downscaling(values: Sequence[float], downscaling: float) -> float:
    """Interpolate a measure, known after each halving, at a downscaling factor (1: full size)."""
    return float(np.interp(math.log2(max(1.0, downscaling)), range(len(values)), values))


def quality_of(tables: Mapping[int, Sequence[int]]) -> int:
    """Return the quality, 1 to 100, that corresponds to the quantization tables of a JPEG file on the usual scale."""
    percent = 100 * sum(next(iter(tables.values()))) / _STANDARD_TABLE_SUM
    return round(min(100.0, max(1.0, 5000 / percent if percent > 100 else (200 - percent) / 2)))


def _downscaled(grey: Array, width: int, height: int) -> Array:
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
