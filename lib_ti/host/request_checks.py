"""Checks of image sizes that every host makes."""

from __future__ import annotations

from lib_ti.errors import BadInput
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.host.model import ImageRequest


def check_encodable(width: int, height: int) -> None:
    """Raise :class:`BadInput` unless the autoencoder takes images of this size in pixels."""
    if width % VAE_SCALE_FACTOR or height % VAE_SCALE_FACTOR:
        raise BadInput(
            f"An image of {width}×{height} pixels cannot be encoded: both must be multiples of {VAE_SCALE_FACTOR}."
        )


def size_problems(request: ImageRequest) -> list[str]:
    """Return a sentence for each side of a request that cannot be generated."""
    step = VAE_SCALE_FACTOR
    return [
        f"The {side} of {value} pixels is not a multiple of {step}; use {max(step, round(value / step) * step)}."
        for side, value in (("width", request.width), ("height", request.height))
        if value < step or value % step
    ]
