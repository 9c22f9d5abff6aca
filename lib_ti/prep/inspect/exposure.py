"""How dark, light and rich in contrast a picture is, from its grey levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib_ti.prep.arrays import Array

_WHITE = 250
_MOST_OF_THE_RIM = 0.9
_SOMETHING_DARKER = 0.55
"""Brightness of the darkest twentieth, under which a picture with a white rim shows a thing on a white ground."""


@dataclass(frozen=True)
class Exposure:
    """Brightness in 0..1: ``darkest`` is over 1 % of the picture, ``middle`` over half of it, ``lightest`` over 99 %.

    ``white_ground`` tells that what is lightest is the ground that something darker stands on.
    """

    darkest: float
    middle: float
    lightest: float
    white_ground: bool


def exposure(grey: Array) -> Exposure:
    """Measure grey levels (H, W) uint8; a strongly reduced picture serves as well as a large one."""
    darkest, dark, middle, lightest = (float(level) / 255 for level in np.percentile(grey, (1, 5, 50, 99)))
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    white_ground = bool((rim >= _WHITE).mean() >= _MOST_OF_THE_RIM and dark < _SOMETHING_DARKER)
    return Exposure(darkest, middle, lightest, white_ground)
