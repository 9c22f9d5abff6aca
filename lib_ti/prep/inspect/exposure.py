"""Brightness and contrast of an image, from its grey levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib_ti.prep.arrays import Array

_WHITE = 250
_MOST_OF_THE_BORDER = 0.9
_DARK_SUBJECT = 0.55
"""Brightness of the 5th percentile below which an image with a white border shows a subject on a white background."""


@dataclass(frozen=True)
class Exposure:
    """Percentiles of brightness in 0..1: ``darkest`` the 1st, ``median`` the 50th, ``lightest`` the 99th.

    ``white_background`` says that the lightest part is the background of something darker.
    """

    darkest: float
    median: float
    lightest: float
    white_background: bool


def measure_exposure(grey: Array) -> Exposure:
    """Measure grey levels (H, W) uint8; a strongly downscaled image gives the same result as a large one."""
    darkest, dark, median, lightest = (float(level) / 255 for level in np.percentile(grey, (1, 5, 50, 99)))
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    white_background = bool((border >= _WHITE).mean() >= _MOST_OF_THE_BORDER and dark < _DARK_SUBJECT)
    return Exposure(darkest, median, lightest, white_background)
