"""What checkpoint files say of themselves: Stability's ``modelspec`` in the metadata of ``.safetensors``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

_RESOLUTION = "modelspec.resolution"
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
