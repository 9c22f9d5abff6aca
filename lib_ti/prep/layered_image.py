"""What preparing works on: a picture with everything that must stay aligned with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image


@dataclass(frozen=True)
class Piece:
    """A picture on its way from its source to a result.

    ``image`` is RGB; ``alpha`` (the source's transparency) and ``mask`` (what counts in the loss) are "L" and of the
    same size, or None. ``record`` is what was done so far, one JSON-able mapping for each operation, such as
    ``{"operation": "crop", ...}``.
    """

    image: Image.Image
    alpha: Image.Image | None
    mask: Image.Image | None
    caption: str
    record: tuple[Mapping[str, Any], ...] = ()

    def changed(self, operation: Callable[[Image.Image], Image.Image], record: Mapping[str, Any]) -> Piece:
        """The piece with the same done to picture, transparency and mask, and that noted in its record."""
        return replace(
            self,
            image=operation(self.image),
            alpha=None if self.alpha is None else operation(self.alpha),
            mask=None if self.mask is None else operation(self.mask),
            record=(*self.record, record),
        )
