"""Specifications of the results of one source image: crop boxes, sizes, flipping. Needs only the image's header."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from lib_ti.config.prepare import NO_UPSCALER, PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.data.images.buckets import bucket_for
from lib_ti.data.images.decode import enlargement
from lib_ti.prep.crop_box import WHOLE, CropBox
from lib_ti.prep.edits import ImageEdits, crop_box_to_json
from lib_ti.prep.recipe.crop import shaped, split_boxes, swap_left_right

_VERSION = "2"
"""Changes whenever the same settings would give other pixels, so that earlier results are made again."""

BY_HAND, SPLIT, UNCROPPED, CENTERED, SALIENT = "by hand", "split", "uncropped", "in the center", "by saliency"


@dataclass(frozen=True)
class ResultSpec:
    """Specification of one result. Sizes are (width, height) in pixels.

    Attributes
    ----------
    crop_box
        None where it is placed only when the image is decoded; it is then the largest box of the aspect ratio of
        ``shape``.
    how
        Who places the crop box.
    crop_size, size
        The size of the crop on the source, and of the result.
    caption, caption_from_name
        The result's caption, and whether it is only the source's file name.
    upscaler
        Name of the upscaler; empty where the result is not upscaled.
    """

    item: Item
    edits: ImageEdits
    crop_box: CropBox | None
    shape: tuple[int, int]
    how: str
    crop_size: tuple[int, int]
    size: tuple[int, int]
    caption: str
    upscaler: str = ""
    flipped: bool = False
    caption_from_name: bool = False

    @property
    def automatic(self) -> bool:
        """Whether the crop box is the default one, which is then the only one of its image."""
        return self.how not in (BY_HAND, SPLIT)

    @property
    def factor(self) -> float:
        """Scale from the crop to the result."""
        return enlargement(self.crop_size, self.size)

    @cached_property
    def key(self) -> str:
        """Hash of everything that the result's pixels depend on."""
        parts = (
            _VERSION,
            self.item.digest,
            self.item.mask_digest,
            [region.patch for region in self.edits.removed_regions],
            crop_box_to_json(self.crop_box) if self.crop_box else self.shape,
            self.size,
            self.upscaler,
            self.flipped,
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def specs_of(item: Item, edits: ImageEdits, config: PrepareConfig) -> Iterator[ResultSpec]:
    """Yield the specifications of all results of a source image, in the order in which they are numbered."""
    image = item.source_size
    who, boxes = _crop_boxes(image, edits, config)
    for box in boxes:
        shape = _target((box or WHOLE).size(image), config)
        placed = box or WHOLE if config.shape == "keep" else shaped(box or WHOLE, image, shape)
        crop_size = placed.size(image)
        crop_box, how = _placement(placed, crop_size == image, who, config)
        size = _size(crop_size, shape, config)
        upscaler = config.upscaler if enlargement(crop_size, size) > 1 else ""
        for flipped in (False, True) if config.flip else (False,):
            caption = _caption(item, config, flipped=flipped)
            from_name = bool(caption) and item.caption_source == "name"
            yield ResultSpec(item, edits, crop_box, shape, how, crop_size, size, caption, upscaler, flipped, from_name)


def _caption(item: Item, config: PrepareConfig, *, flipped: bool) -> str:
    if item.caption_source == "name" and not config.name_captions:
        return ""
    return swap_left_right(item.caption) if flipped and config.flip_words else item.caption


def _crop_boxes(
    image: tuple[int, int], edits: ImageEdits, config: PrepareConfig
) -> tuple[str, Sequence[CropBox | None]]:
    """Return who placed the crop boxes, and the boxes; None is the default one, of which only the shape is known
    yet."""
    if edits.crop_boxes:
        return BY_HAND, edits.crop_boxes
    if config.split:
        shape = config.width, config.height
        boxes = split_boxes(image, shape, threshold=config.split_threshold, overlap=config.split_overlap)
        if boxes:
            return SPLIT, boxes
    return "", [None]


def _placement(placed: CropBox, is_whole: bool, who: str, config: PrepareConfig) -> tuple[CropBox | None, str]:
    """Return the final crop box, None where saliency places it later, and who places it."""
    if is_whole:
        return WHOLE, who or UNCROPPED
    if who:
        return placed, who
    return (placed, CENTERED) if config.framing == "centre" else (None, SALIENT)


def _target(crop_size: tuple[int, int], config: PrepareConfig) -> tuple[int, int]:
    """Return the training size for a crop of that size; for whole images the size at which they just cover it."""
    training = config.width, config.height
    if config.shape == "buckets":
        return bucket_for(*crop_size, area_width=config.width, area_height=config.height)
    if config.shape == "keep":
        scale = enlargement(crop_size, training)
        return max(training[0], round(crop_size[0] * scale)), max(training[1], round(crop_size[1] * scale))
    return training


def _size(crop_size: tuple[int, int], target: tuple[int, int], config: PrepareConfig) -> tuple[int, int]:
    factor = enlargement(crop_size, target)
    if factor > 1:
        return crop_size if config.upscaler == NO_UPSCALER else target
    return target if config.downscale else crop_size
