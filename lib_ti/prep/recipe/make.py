"""Make the results of one source image: crop, resize, flip."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import ImageEdits
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.recipe.crop import crop, flip
from lib_ti.prep.recipe.result_specs import ResultSpec, specs_of
from lib_ti.prep.recipe.saliency import FaceDetector, best_crop_box, saliency
from lib_ti.prep.recipe.upscale import ImageUpscaler, resize_to
from lib_ti.prep.remove.patches import InpaintedPatch, apply
from lib_ti.prep.sources import open_layered
from lib_ti.wording import counted

_DECODED_SMALLER = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
_MOST_PIXELS_FACTOR = 16
"""JPEG files are decoded at up to twice the requested size, rounded to a power of two: four times in each direction."""


@dataclass(frozen=True)
class RenderTools:
    """Upscaler and face detector that results are made with."""

    upscaler: ImageUpscaler
    faces: FaceDetector


@dataclass(frozen=True)
class RenderedResult:
    """A finished result in memory, and the crop box that it shows."""

    layered: LayeredImage
    crop_box: CropBox


def size_to_open(specs: Sequence[ResultSpec]) -> tuple[int, int] | None:
    """Return the smallest size of a source at which none of its results loses detail; None for its full size."""
    item, edits = specs[0].item, specs[0].edits
    scale = max(spec.factor for spec in specs)
    if scale >= 1 or edits.removed_regions:  # patches fit the image pixel for pixel
        return None
    width, height = item.source_size
    return math.ceil(width * scale), math.ceil(height * scale)


def pixels_to_open(specs: Sequence[ResultSpec]) -> int:
    """Return the most pixels that opening a source holds in memory."""
    item, cover = specs[0].item, size_to_open(specs)
    pixels = item.source_size[0] * item.source_size[1]
    if cover is None or item.path.suffix.lower() not in _DECODED_SMALLER:
        return pixels
    return min(pixels, _MOST_PIXELS_FACTOR * cover[0] * cover[1])


def make_all(
    layered: LayeredImage, specs: Sequence[ResultSpec], patches: Sequence[InpaintedPatch], tools: RenderTools
) -> Iterator[RenderedResult]:
    """Yield the results of one opened source in order. A flipped result reuses the one that it mirrors."""
    layered = apply(layered, patches) if patches else layered
    last: tuple[ResultSpec, RenderedResult] | None = None
    for spec in specs:
        if last is not None and spec.flipped and replace(spec, flipped=False, caption=last[0].caption) == last[0]:
            rendered = RenderedResult(replace(flip(last[1].layered), caption=spec.caption), last[1].crop_box)
        else:
            rendered = make(layered, spec, tools)
            last = spec, rendered
        yield rendered


def make(layered: LayeredImage, spec: ResultSpec, tools: RenderTools) -> RenderedResult:
    """Make one result of an opened source whose patches are applied: pure, except for the host's upscaler."""
    crop_box, how = place(layered, spec, tools.faces)
    result = crop(layered, crop_box, how)
    if spec.size != spec.crop_size:
        result = resize_to(result, spec.size, tools.upscaler)
    if spec.flipped:
        result = flip(result)
    return RenderedResult(replace(result, caption=spec.caption), crop_box)


def place(layered: LayeredImage, spec: ResultSpec, faces: FaceDetector) -> tuple[CropBox, str]:
    """Return the crop box of a result on its opened source, and in words who placed it."""
    if spec.crop_box is not None:
        return spec.crop_box, spec.how
    found = saliency(layered, faces)
    detail = "without face detection" if found.faces is None else counted(found.faces, "face") if found.faces else ""
    crop_box = best_crop_box(found, spec.item.source_size, spec.shape)
    return crop_box, f"{spec.how}, {detail}" if detail else spec.how


def proposed_crop_boxes(item: Item, edits: ImageEdits, config: PrepareConfig, faces: FaceDetector) -> list[CropBox]:
    """Return the crop boxes that a preparation would use for an image: drawn ones, split ones, or the default one.

    Removed regions are ignored, so that no patches are needed.

    Raises
    ------
    UnreadableImage
        When the image must be opened for it and cannot be used.
    """
    specs = [spec for spec in specs_of(item, replace(edits, removed_regions=()), config) if not spec.flipped]
    if all(spec.crop_box for spec in specs):
        return [spec.crop_box for spec in specs if spec.crop_box]
    layered = open_layered(item, cover=size_to_open(specs))
    return [place(layered, spec, faces)[0] for spec in specs]
