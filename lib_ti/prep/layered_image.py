"""The image that a preparation works on, with everything that must stay aligned with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image


@dataclass(frozen=True)
class LayeredImage:
    """An image on its way from source to result.

    ``image`` is RGB; ``alpha`` (the source's transparency) and ``mask`` (the weight of the loss) are "L" and of the
    same size, or None. ``record`` lists the operations so far, each a JSON-able mapping such as ``{"operation": "crop",
    ...}``.
    """

    image: Image.Image
    alpha: Image.Image | None
    mask: Image.Image | None
    caption: str
    record: tuple[Mapping[str, Any], ...] = ()

    def changed(self, operation: Callable[[Image.Image], Image.Image], record: Mapping[str, Any]) -> LayeredImage:
        """Apply one operation to image, transparency and mask, and add it to the record."""
        return replace(
            self,
            image=operation(self.image),
            alpha=None if self.alpha is None else operation(self.alpha),
            mask=None if self.mask is None else operation(self.mask),
            record=(*self.record, record),
        )
