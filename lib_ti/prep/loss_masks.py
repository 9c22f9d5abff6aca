"""Loss masks of prepared images: saved, removed, shown."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from lib_ti.data.beside.masks import find_masks, mask_path
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.storage.atomic import write_bytes

_TINT = (230, 30, 60)
"""Color in which regions that are not trained are shown."""


def save_mask(image: Path, mask: Image.Image) -> Path:
    """Write a mask, white where the image is trained, beside a prepared image, in place of any mask that it has.

    Masks under the names that other programs use are set aside, so that there is never a second one.
    """
    file = io.BytesIO()
    mask.convert("L").save(file, "PNG")
    path = mask_path(image)
    for other in find_masks(image):
        if other != path:
            PreparedFolder(image.parent).set_aside(other)
    write_bytes(path, file.getvalue())
    return path


def remove_mask(image: Path) -> Path | None:
    """Set the masks of a prepared image aside; return where the one in use went, or None where there was none."""
    aside = [PreparedFolder(image.parent).set_aside(mask) for mask in find_masks(image)]
    return next(iter(aside), None)


def overlay(image: Image.Image, mask: Image.Image, *, strength: float = 0.6) -> Image.Image:
    """Tint the regions of an RGB image that are not trained; ``strength`` in 0..1 is the tint's where the mask is
    black."""
    if mask.size != image.size:
        mask = mask.resize(image.size, Image.Resampling.BILINEAR)
    tint = mask.point([round((255 - level) * strength) for level in range(256)])
    return Image.composite(Image.new("RGB", image.size, _TINT), image, tint)
