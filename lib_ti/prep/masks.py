"""Masks of prepared pictures: painted, removed, shown."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from lib_ti.atomic import write_bytes
from lib_ti.data.masks import mask_path
from lib_ti.prep.prepared import PreparedFolder

_TINT = (230, 30, 60)
"""What does not count is shown in this colour."""


def save_mask(picture: Path, mask: Image.Image) -> Path:
    """Write what counts in the loss, white, beside a prepared picture."""
    file = io.BytesIO()
    mask.convert("L").save(file, "PNG")
    path = mask_path(picture)
    write_bytes(path, file.getvalue())
    return path


def remove_mask(picture: Path) -> Path | None:
    """Take the mask of a prepared picture away; where it was put, or None where there was none."""
    return PreparedFolder(picture.parent).put_aside(mask_path(picture))


def overlay(image: Image.Image, mask: Image.Image, *, strength: float = 0.6) -> Image.Image:
    """The RGB picture with what does not count tinted; ``strength`` in 0..1 is the tint's where nothing counts."""
    if mask.size != image.size:
        mask = mask.resize(image.size, Image.Resampling.BILINEAR)
    tint = mask.point([round((255 - level) * strength) for level in range(256)])
    return Image.composite(Image.new("RGB", image.size, _TINT), image, tint)
