"""What checkpoint files say of themselves: Stability's ``modelspec`` in the metadata of ``.safetensors``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from lib_ti.families.family import Prediction

_RESOLUTION = "modelspec.resolution"
_PREDICTION = "modelspec.prediction_type"
_STEP = 64
"""Pixels to which the side is rounded where the resolution is not a square."""


def stated_size(metadata: Mapping[str, object]) -> int | None:
    """Return the side in pixels of the images that a model was made for, None where its file does not say.

    Parameters
    ----------
    metadata
        Of the checkpoint file, with ``"modelspec.resolution": "1024x1024"``. Of other shapes, the square of about as
        many pixels counts.
    """
    found = re.fullmatch(r"\s*(\d{2,5})(?:\s*x\s*(\d{2,5}))?\s*", str(metadata.get(_RESOLUTION, "")))
    if found is None:
        return None
    width = int(found[1])
    height = int(found[2] or width)
    return width if width == height else max(1, round(math.sqrt(width * height) / _STEP)) * _STEP


def stated_prediction(metadata: Mapping[str, object]) -> Prediction | None:
    """Return what the UNet predicts, None where the file does not say; its terms are "epsilon" and "v"."""
    stated = str(metadata.get(_PREDICTION, "")).strip().casefold()
    if stated in ("epsilon", "eps"):
        return "eps"
    return "v" if stated in ("v", "v_prediction") else None
