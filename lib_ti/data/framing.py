"""How an image was scaled and cropped to its training size, for models that are conditioned on it."""

from __future__ import annotations

from lib_ti.data.dataset import Item, Resize
from lib_ti.data.images.decode import enlargement
from lib_ti.host.model import Framing


def framing_of(item: Item, resize: Resize) -> Framing:
    """Return the framing of an item: scaled to cover its training size, unless it keeps its own, and cropped there."""
    scale = 1.0 if resize == "keep" else enlargement(item.source_size, item.size)
    left, top = (
        max(0, round(source * scale) - size) // 2 for source, size in zip(item.source_size, item.size, strict=True)
    )
    return Framing(original=item.source_size, crop=(left, top), size=item.size)
