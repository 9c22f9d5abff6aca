"""Resize layered images: upscaled by the chosen upscaler, never beyond the training size, or downscaled."""

from __future__ import annotations

import threading
from dataclasses import replace

from lib_ti.config.prepare import LANCZOS
from lib_ti.data.images.decode import enlargement, fill_and_crop
from lib_ti.host.tools import Upscaler
from lib_ti.prep.layered_image import LayeredImage


class ImageUpscaler:
    """An upscaler with its name, called by one thread at a time. Without one, Pillow's Lanczos filter."""

    def __init__(self, name: str = LANCZOS, upscaler: Upscaler | None = None) -> None:
        self.name = name
        self._upscaler = upscaler
        self._one_at_a_time = threading.Lock()

    def upscale(self, layered: LayeredImage, size: tuple[int, int]) -> LayeredImage:
        """Upscale to ``size``; transparency and mask, which upscalers do not support, are scaled by Lanczos."""
        factor = enlargement(layered.image.size, size)
        record = {"operation": "upscale", "by": self.name, "factor": round(factor, 3)}
        upscaled = layered.changed(lambda layer: fill_and_crop(layer, *size), record)
        if self._upscaler is None:
            return upscaled
        with self._one_at_a_time:
            image = self._upscaler.upscale(layered.image, factor)
        return replace(upscaled, image=fill_and_crop(image.convert("RGB"), *size))


def resize_to(layered: LayeredImage, size: tuple[int, int], upscaler: ImageUpscaler) -> LayeredImage:
    """Resize to ``size`` (width, height); what exceeds it, one pixel where the aspect ratio fits, is cropped."""
    if layered.image.size == size:
        return layered
    if enlargement(layered.image.size, size) > 1:
        return upscaler.upscale(layered, size)
    return layered.changed(lambda layer: fill_and_crop(layer, *size), {"operation": "downscale", "to": list(size)})
