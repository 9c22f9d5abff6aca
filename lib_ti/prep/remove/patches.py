"""Inpainted patches, kept so that each is made only once."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from lib_ti.data.images.decode import UnreadableImage, open_image
from lib_ti.prep.crop_box import PixelBox
from lib_ti.prep.edits import RemovedRegion
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.thumbnails import downscaled
from lib_ti.storage.atomic import write_bytes

_SURROUNDINGS = 40
"""Least pixels around a patch in images to compare."""


@dataclass(frozen=True)
class InpaintedPatch:
    """Pixels of a removed region: RGBA, opaque where it was painted over."""

    region: RemovedRegion
    pixels: Image.Image


def apply(layered: LayeredImage, patches: Iterable[InpaintedPatch]) -> LayeredImage:
    """Paste patches onto an image, which must have the size of its source, in their order."""
    image = layered.image.copy()
    record = list(layered.record)
    for patch in patches:
        image.paste(patch.pixels.convert("RGB"), patch.region.box, patch.pixels.getchannel("A"))
        how = f"{patch.region.method} {patch.region.model}".strip()
        record.append({"operation": "remove", "box": list(patch.region.box), "by": how})
    return replace(layered, image=image, record=tuple(record))


def before_and_after(layered: LayeredImage, patch: InpaintedPatch, side: int) -> tuple[Image.Image, Image.Image]:
    """Return the patched area with its surroundings without and with the patch, to compare; RGB, at most ``side``."""
    box = _with_surroundings(patch.region.box, layered.image.size)
    alpha = None if layered.alpha is None else layered.alpha.crop(box)
    before, after = (one.image.crop(box) for one in (layered, apply(layered, [patch])))
    return downscaled(before, alpha, side), downscaled(after, alpha, side)


def save_patch(folder: PreparedFolder, patch: InpaintedPatch) -> None:
    """Save a patch. It stays when the removal is undone, so that it can be redone."""
    write_patch(folder.patches / f"{patch.region.patch}.png", patch)


def write_patch(path: Path, patch: InpaintedPatch) -> None:
    """Write a patch to a PNG file."""
    file = io.BytesIO()
    patch.pixels.save(file, "PNG")
    write_bytes(path, file.getvalue())


def load_patch(folder: PreparedFolder, region: RemovedRegion) -> InpaintedPatch:
    """Load a saved patch.

    Raises
    ------
    UnreadableImage
        When the file is missing or damaged.
    """
    return read_patch(folder.patch(region.patch), region)


def read_patch(path: Path, region: RemovedRegion) -> InpaintedPatch:
    """Read the patch of a region from a file; raises as :func:`load_patch`."""
    try:
        opened = open_image(path, with_alpha=True)
    except UnreadableImage as error:
        raise UnreadableImage(path, f"{error.reason}; undo that removal and remove the region again") from error
    left, top, right, bottom = region.box
    if opened.alpha is None or opened.image.size != (right - left, bottom - top):
        raise UnreadableImage(
            path, "it does not fit the region that was removed; undo that and remove the region again"
        )
    opened.image.putalpha(opened.alpha)
    return InpaintedPatch(region, opened.image)


def _with_surroundings(box: PixelBox, size: tuple[int, int]) -> PixelBox:
    left, top, right, bottom = box
    margin = max(_SURROUNDINGS, (right - left) // 4, (bottom - top) // 4)
    return max(0, left - margin), max(0, top - margin), min(size[0], right + margin), min(size[1], bottom + margin)
