"""Bringing pieces to their size: enlarged by the chosen upscaler, never beyond what is needed, or reduced."""

from __future__ import annotations

import threading
from dataclasses import replace

from lib_ti.config.prepare import LANCZOS
from lib_ti.data.images import enlargement, fill_and_crop
from lib_ti.host.tools import Upscaler
from lib_ti.prep.layered_image import Piece


class Enlarger:
    """An upscaler under its name; called by one thread at a time. Without one, Pillow's Lanczos filter."""

    def __init__(self, name: str = LANCZOS, upscaler: Upscaler | None = None) -> None:
        self.name = name
        self._upscaler = upscaler
        self._one_at_a_time = threading.Lock()

    def enlarge(self, piece: Piece, size: tuple[int, int]) -> Piece:
        """The piece at ``size``; transparency and mask, which upscalers do not know, are scaled by Lanczos."""
        factor = enlargement(piece.image.size, size)
        record = {"operation": "enlarge", "by": self.name, "factor": round(factor, 3)}
        enlarged = piece.changed(lambda layer: fill_and_crop(layer, *size), record)
        if self._upscaler is None:
            return enlarged
        with self._one_at_a_time:
            image = self._upscaler.upscale(piece.image, factor)
        return replace(enlarged, image=fill_and_crop(image.convert("RGB"), *size))


def bring_to(piece: Piece, size: tuple[int, int], enlarger: Enlarger) -> Piece:
    """The piece at ``size`` (width, height): what is over, a pixel's breadth where the shape is right, is cut off."""
    if piece.image.size == size:
        return piece
    if enlargement(piece.image.size, size) > 1:
        return enlarger.enlarge(piece, size)
    return piece.changed(lambda layer: fill_and_crop(layer, *size), {"operation": "reduce", "to": list(size)})
