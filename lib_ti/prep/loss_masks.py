"""Masks of prepared pictures: painted, removed, shown."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from lib_ti.atomic import write_bytes
from lib_ti.data.masks import find_masks, mask_path
from lib_ti.prep.prepared import PreparedFolder

_TINT = (230, 30, 60)
"""What does not count is shown in this colour."""


def save_mask(picture: Path, mask: Image.Image) -> Path:
    """Write what counts in the loss, white, beside a prepared picture, in the place of any mask that it has.

    Masks under the names of other programs are put aside, so that there is never a second one.
    """
    file = io.BytesIO()
    mask.convert("L").save(file, "PNG")
    path = mask_path(picture)
    for other in find_masks(picture):
        if other != path:
            PreparedFolder(picture.parent).set_aside(other)
    write_bytes(path, file.getvalue())
    return path


def remove_mask(picture: Path) -> Path | None:
    """Take the masks of a prepared picture away; where the one that counted was put, or None where there was none."""
    aside = [PreparedFolder(picture.parent).set_aside(mask) for mask in find_masks(picture)]
    return next(iter(aside), None)


def overlay(image: Image.Image, mask: Image.Image, *, strength: float = 0.6) -> Image.Image:
    """The RGB picture with what does not count tinted; ``strength`` in 0..1 is the tint's where nothing counts."""
    if mask.size != image.size:
        mask = mask.resize(image.size, Image.Resampling.BILINEAR)
    tint = mask.point([round((255 - level) * strength) for level in range(256)])
    return Image.composite(Image.new("RGB", image.size, _TINT), image, tint)
