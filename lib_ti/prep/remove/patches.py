"""Inpainted patches, kept so that each is made only once."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace

from PIL import Image

from lib_ti.data.images.decode import UnreadableImage, open_image
from lib_ti.prep.edits import RemovedRegion
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.storage.atomic import write_bytes


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


def save_patch(folder: PreparedFolder, patch: InpaintedPatch) -> None:
    """Save a patch. It stays when the removal is undone, so that it can be redone."""
    file = io.BytesIO()
    patch.pixels.save(file, "PNG")
    write_bytes(folder.patches / f"{patch.region.patch}.png", file.getvalue())


def load_patch(folder: PreparedFolder, region: RemovedRegion) -> InpaintedPatch:
    """Load a saved patch.

    Raises
    ------
    UnreadableImage
        When the file is missing or damaged.
    """
    path = folder.patch(region.patch)
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
