"""What is to be made of one source picture: which parts, at which size, mirrored or not. From its header only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from lib_ti.config.prepare import NO_UPSCALER, PrepareConfig
from lib_ti.data.buckets import bucket_for
from lib_ti.data.dataset import Item
from lib_ti.data.images import enlargement
from lib_ti.prep.crop_box import WHOLE, Frame
from lib_ti.prep.edits import PictureEdits, frame_to_json
from lib_ti.prep.recipe.crop import shaped, split_frames, swap_sides

_VERSION = "2"
"""Changes whenever the same settings would give other pixels, so that earlier results are made again."""

BY_HAND, SPLIT, UNCUT, IN_THE_MIDDLE, SALIENT = "by hand", "split", "uncut", "in the middle", "by what stands out"


@dataclass(frozen=True)
class Wanted:
    """One result to be: what it shows and how large it is. Sizes are (width, height) in pixels.

    ``frame`` is None where it is placed only when the picture is decoded; it is then the largest one of the aspect
    ratio of ``shape``. ``how`` says who places it. ``cut`` is its size on the source, ``size`` the result's.
    ``upscaler`` is what enlarges the result, empty where nothing does. ``caption`` is the result's own, ``named``
    where it is the source's file name and nobody's words.
    """

    item: Item
    edits: PictureEdits
    frame: Frame | None
    shape: tuple[int, int]
    how: str
    cut: tuple[int, int]
    size: tuple[int, int]
    caption: str
    upscaler: str = ""
    flipped: bool = False
    named: bool = False

    @property
    def automatic(self) -> bool:
        """Whether the frame is the default one, of which a picture has no other beside it."""
        return self.how not in (BY_HAND, SPLIT)

    @property
    def factor(self) -> float:
        """By how much the result is larger than what was cut out."""
        return enlargement(self.cut, self.size)

    @cached_property
    def key(self) -> str:
        """Stands for everything that the result's pixels depend on."""
        parts = (
            _VERSION,
            self.item.digest,
            self.item.mask_digest,
            [erased.patch for erased in self.edits.erased],
            frame_to_json(self.frame) if self.frame else self.shape,
            self.size,
            self.upscaler,
            self.flipped,
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def results_of(item: Item, edits: PictureEdits, config: PrepareConfig) -> Iterator[Wanted]:
    """All results of a source picture, in the order in which they are numbered."""
    picture = item.source_size
    who, frames = _frames(picture, edits, config)
    for drawn in frames:
        shape = _target((drawn or WHOLE).size(picture), config)
        placed = drawn or WHOLE if config.shape == "keep" else shaped(drawn or WHOLE, picture, shape)
        cut = placed.size(picture)
        frame, how = _as_placed(placed, cut == picture, who, config)
        size = _size(cut, shape, config)
        upscaler = config.upscaler if enlargement(cut, size) > 1 else ""
        for flipped in (False, True) if config.flip else (False,):
            caption = _caption(item, config, flipped=flipped)
            named = bool(caption) and item.caption_source == "name"
            yield Wanted(item, edits, frame, shape, how, cut, size, caption, upscaler, flipped, named)


def _caption(item: Item, config: PrepareConfig, *, flipped: bool) -> str:
    if item.caption_source == "name" and not config.name_captions:
        return ""
    return swap_sides(item.caption) if flipped and config.flip_words else item.caption


def _frames(picture: tuple[int, int], edits: PictureEdits, config: PrepareConfig) -> tuple[str, Sequence[Frame | None]]:
    """Who placed the frames, and the frames; None is the default one, of which only the shape is known yet."""
    if edits.frames:
        return BY_HAND, edits.frames
    if config.split:
        shape = config.width, config.height
        parts = split_frames(picture, shape, threshold=config.split_threshold, overlap=config.split_overlap)
        if parts:
            return SPLIT, parts
    return "", [None]


def _as_placed(placed: Frame, everything: bool, who: str, config: PrepareConfig) -> tuple[Frame | None, str]:
    """The frame, None while it is only placed in the middle for its size, and who places it in the end."""
    if everything:
        return WHOLE, who or UNCUT
    if who:
        return placed, who
    return (placed, IN_THE_MIDDLE) if config.framing == "centre" else (None, SALIENT)


def _target(cut: tuple[int, int], config: PrepareConfig) -> tuple[int, int]:
    """The training size for a part of that size; for whole pictures the size at which they just cover it."""
    training = config.width, config.height
    if config.shape == "buckets":
        return bucket_for(*cut, area_width=config.width, area_height=config.height)
    if config.shape == "keep":
        scale = enlargement(cut, training)
        return max(training[0], round(cut[0] * scale)), max(training[1], round(cut[1] * scale))
    return training


def _size(cut: tuple[int, int], target: tuple[int, int], config: PrepareConfig) -> tuple[int, int]:
    factor = enlargement(cut, target)
    if factor > 1:
        return cut if config.upscaler == NO_UPSCALER else target
    return target if config.reduce else cut
