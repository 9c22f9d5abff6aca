"""From one source picture to its results: opened, repaired, cut out, brought to size, mirrored."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.prep.crop_box import Frame
from lib_ti.prep.edits import PictureEdits
from lib_ti.prep.layered_image import Piece
from lib_ti.prep.recipe.crop import crop, flip
from lib_ti.prep.recipe.result_specs import Wanted, results_of
from lib_ti.prep.recipe.saliency import FaceFinder, best_frame, saliency
from lib_ti.prep.recipe.upscale import Enlarger, bring_to
from lib_ti.prep.remove.patches import Patch, apply
from lib_ti.prep.sources import open_piece
from lib_ti.wording import counted

_DECODED_SMALLER = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
_NO_MORE_THAN = 16
"""JPEG files are decoded at up to twice the size asked for, to the next power of two: four times in each direction."""


@dataclass(frozen=True)
class Tools:
    """What results are made with."""

    enlarger: Enlarger
    faces: FaceFinder


@dataclass(frozen=True)
class Made:
    """A finished result, still in memory, and the frame it shows."""

    piece: Piece
    frame: Frame


def size_to_open(results: Sequence[Wanted]) -> tuple[int, int] | None:
    """The least size of a source at which none of its results loses anything; None for all of it."""
    item, edits = results[0].item, results[0].edits
    scale = max(one.factor for one in results)
    if scale >= 1 or edits.erased:  # patches are laid onto the picture pixel for pixel
        return None
    width, height = item.source_size
    return math.ceil(width * scale), math.ceil(height * scale)


def pixels_to_open(results: Sequence[Wanted]) -> int:
    """How many pixels opening a source takes in memory, at the most."""
    item, cover = results[0].item, size_to_open(results)
    pixels = item.source_size[0] * item.source_size[1]
    if cover is None or item.path.suffix.lower() not in _DECODED_SMALLER:
        return pixels
    return min(pixels, _NO_MORE_THAN * cover[0] * cover[1])


def make_all(piece: Piece, results: Sequence[Wanted], patches: Sequence[Patch], tools: Tools) -> Iterator[Made]:
    """The results of one opened source, one after the other. Mirrored ones follow the one that they mirror."""
    piece = apply(piece, patches) if patches else piece
    last: tuple[Wanted, Made] | None = None
    for wanted in results:
        if last is not None and wanted.flipped and replace(wanted, flipped=False, caption=last[0].caption) == last[0]:
            made = Made(replace(flip(last[1].piece), caption=wanted.caption), last[1].frame)
        else:
            made = make(piece, wanted, tools)
            last = wanted, made
        yield made


def make(piece: Piece, wanted: Wanted, tools: Tools) -> Made:
    """One result of an opened source whose erased parts are filled: a pure function but for the host's upscaler."""
    frame, how = place(piece, wanted, tools.faces)
    cut = crop(piece, frame, how)
    if wanted.size != wanted.cut:
        cut = bring_to(cut, wanted.size, tools.enlarger)
    if wanted.flipped:
        cut = flip(cut)
    return Made(replace(cut, caption=wanted.caption), frame)


def place(piece: Piece, wanted: Wanted, faces: FaceFinder) -> tuple[Frame, str]:
    """The frame of a result on its opened source, and in words who placed it."""
    if wanted.frame is not None:
        return wanted.frame, wanted.how
    seen = saliency(piece, faces)
    told = "without looking for faces" if seen.faces is None else counted(seen.faces, "face") if seen.faces else ""
    frame = best_frame(seen, wanted.item.source_size, wanted.shape)
    return frame, f"{wanted.how}, {told}" if told else wanted.how


def proposed_frames(item: Item, edits: PictureEdits, config: PrepareConfig, faces: FaceFinder) -> list[Frame]:
    """The frames that a preparation would use for a picture, to be shown on it: drawn ones, parts, or the default one.

    Erased parts count as they were found, so that no patches are needed.

    Raises
    ------
    UnreadablePicture
        When the picture must be opened for it and cannot be used.
    """
    wanted = [one for one in results_of(item, replace(edits, erased=()), config) if not one.flipped]
    if all(one.frame for one in wanted):
        return [one.frame for one in wanted if one.frame]
    piece = open_piece(item, cover=size_to_open(wanted))
    return [place(piece, one, faces)[0] for one in wanted]
