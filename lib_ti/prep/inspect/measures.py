"""All that is measured of one picture.

Figures only: from which value on they matter is for the settings to say, so that a changed threshold measures nothing
anew.
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
from lib_ti.prep.inspect.exposure import Exposure, exposure
from lib_ti.prep.inspect.fine_structure import FineStructure, fine_structure
from lib_ti.prep.inspect.tiles import cut_tiles
from lib_ti.prep.remove.text_regions import LOOKED_AT, find_text, reduced

VERSION = 4
"""Changes whenever the same picture would be measured otherwise, so that older figures are not used."""

_EXPOSURE_SIDE = 256
_STANDARD_TABLE_SUM = 3688
"""Sum of the luminance table that the JPEG standard gives as an example, which most programs scale."""


@dataclass(frozen=True)
class Measures:
    """``lettering`` is the share of the picture, in thousandths, that the surest piece of lettering covers.

    ``jpeg_quality`` is about what was chosen when a JPEG file was saved, 1 to 100; 0 for other files.
    """

    structure: FineStructure
    exposure: Exposure
    lettering: float
    jpeg_quality: int

    def as_mapping(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Measures:
        """Raise KeyError, TypeError or ValueError for a mapping that is not one of :meth:`as_mapping`."""
        structure = values["structure"]
        return cls(
            FineStructure(
                sharpness=tuple(map(float, structure["sharpness"])),
                shake=tuple(map(float, structure["shake"])),
                grain=tuple(map(float, structure["grain"])),
                blocks=float(structure["blocks"]),
            ),
            Exposure(**values["exposure"]),
            float(values["lettering"]),
            int(values["jpeg_quality"]),
        )


def measure(image: Image.Image, *, jpeg_quality: int = 0) -> tuple[Measures, bytes]:
    """Measures of an RGB picture, and its 32 × 32 grey levels for :mod:`lib_ti.prep.inspect.duplicates`.

    ``image`` is the whole picture at its full size. Only parts of it are looked at closely, so that this takes less
    time than decoding a large picture did.
    """
    pixels = reduced(image, LOOKED_AT)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    levels = _shrunk(grey, FINGERPRINT_SIDE, FINGERPRINT_SIDE)
    scale = min(1.0, _EXPOSURE_SIDE / max(grey.shape))
    small = _shrunk(grey, max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    lettering = max((region.share for region in find_text(pixels)), default=0.0)
    return Measures(fine_structure(cut_tiles(image)), exposure(small), lettering, jpeg_quality), levels.tobytes()


def at_reduction(values: Sequence[float], reduction: float) -> float:
    """What a figure that is known after each halving is when the picture is reduced ``reduction`` times (1: not)."""
    return float(np.interp(math.log2(max(1.0, reduction)), range(len(values)), values))


def quality_of(tables: Mapping[int, Sequence[int]]) -> int:
    """The quality, 1 to 100, that the quantisation tables of a JPEG file stand for in the usual scale."""
    percent = 100 * sum(next(iter(tables.values()))) / _STANDARD_TABLE_SUM
    return round(min(100.0, max(1.0, 5000 / percent if percent > 100 else (200 - percent) / 2)))


def _shrunk(grey: Array, width: int, height: int) -> Array:
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
