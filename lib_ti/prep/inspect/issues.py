"""What speaks against training on a picture, or should be known of it: badges, from its measures and the thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lib_ti.config import LookConfig
from lib_ti.data.images import enlargement
from lib_ti.prep.inspect.measure_folder import Look
from lib_ti.prep.inspect.measures import at_reduction

Advice = Literal["leave out", "mend", "note"]
"""What to do about it: find a better picture, mend this one here, or nothing."""

_NOTHING_LIGHT = 0.36
"""Brightness of the lightest parts, below which a picture is too dark whatever half of it is."""
_POOR_QUALITY = 25
"""JPEG quality up to which what was lost is seen, whether or not steps between the blocks are found."""
_BLOCKS_SEEN_UNTIL = 2.0
"""Reduction from which the blocks of a poorly saved picture are too small to be learned."""


@dataclass(frozen=True)
class Badge:
    """``kind`` is for programs, ``label`` a word or two for the gallery, ``text`` a sentence or two."""

    kind: str
    label: str
    text: str
    advice: Advice


@dataclass(frozen=True)
class AtTraining:
    """A picture as it is at the training size: reduced ``reduction`` times, or enlarged ``enlarged`` times (else 1)."""

    reduction: float
    enlarged: float
    sharpness: float
    shake: float
    grain: float
    blocks: float

    @classmethod
    def of(cls, look: Look, config: LookConfig) -> AtTraining:
        scale = enlargement(look.size, (config.width, config.height))
        reduction = max(1.0, 1 / scale)
        structure = look.measures.structure
        return cls(
            reduction=reduction,
            enlarged=max(1.0, scale),
            sharpness=100 * at_reduction(structure.sharpness, reduction),
            shake=100 * at_reduction(structure.shake, reduction),
            grain=at_reduction(structure.grain, reduction),
            blocks=structure.blocks / reduction,
        )


def badges_of(look: Look, config: LookConfig) -> tuple[Badge, ...]:
    """All that can be said of a picture by itself; what it has in common with others is not known here."""
    at_training = AtTraining.of(look, config)
    found = [
        *_sharpness(look, at_training, config),
        *_faults(look, at_training, config),
        *_exposure(look, config),
        *_size(look, at_training, config),
        *_kind(look),
    ]
    return tuple(found)


def _sharpness(look: Look, now: AtTraining, config: LookConfig) -> Iterator[Badge]:
    if now.sharpness < config.blurry:
        yield Badge(
            "blurry",
            "blurry",
            f"Its sharpness at the training size is {now.sharpness:.0f}, below {config.blurry:g}; blur would be "
            "learned.",
            "leave out",
        )
    elif now.shake < config.shaken:
        yield Badge(
            "shaken",
            "shaken",
            f"It is much less sharp in one direction than in the other ({now.shake:.0f}, below {config.shaken:g}), "
            "as when the camera or the thing moved.",
            "leave out",
        )
    elif 100 * look.measures.structure.sharpness[0] < config.blurry:
        yield Badge(
            "soft",
            "soft pixels",
            "Its single pixels are soft, as after enlarging; the whole picture is sharp at the training size, but "
            "parts cut out of it may not be.",
            "note",
        )


def _faults(look: Look, now: AtTraining, config: LookConfig) -> Iterator[Badge]:
    if now.grain >= config.grainy:
        yield Badge(
            "grainy",
            "grainy",
            f"It has noise of {now.grain:.0f} levels, {config.grainy:g} or more; grain is learned quickly.",
            "leave out",
        )
    quality = look.measures.jpeg_quality
    poor = 0 < quality <= _POOR_QUALITY and now.reduction < _BLOCKS_SEEN_UNTIL and config.blocks < 255
    if now.blocks >= config.blocks or poor:
        saved = f", and was saved with a quality of about {quality}" if quality else ""
        yield Badge(
            "blocks",
            "JPEG blocks",
            f"Strong compression left blocks in it (steps of {now.blocks:.1f} levels{saved}).",
            "leave out",
        )
    if look.measures.lettering >= config.lettering:
        yield Badge(
            "lettering",
            "lettering",
            "It seems to have lettering or a watermark; erase it, or crop it away.",
            "mend",
        )


def _exposure(look: Look, config: LookConfig) -> Iterator[Badge]:
    seen = look.measures.exposure
    middle, contrast = 100 * seen.middle, 100 * (seen.lightest - seen.darkest)
    if middle < config.dark or (config.dark and seen.lightest < _NOTHING_LIGHT):
        yield Badge("dark", "dark", f"Half of it is darker than {middle:.0f} of 100.", "leave out")
    elif middle > config.bright and not seen.white_ground:
        yield Badge("bright", "too bright", f"Half of it is brighter than {middle:.0f} of 100.", "leave out")
    elif contrast < config.contrast:
        yield Badge(
            "flat",
            "low contrast",
            f"Its darkest and lightest parts are only {contrast:.0f} of 100 apart, as in mist.",
            "leave out",
        )


def _size(look: Look, now: AtTraining, config: LookConfig) -> Iterator[Badge]:
    if now.enlarged > config.small:
        yield Badge(
            "small",
            f"small, {now.enlarged:.2g}×",
            f"It has {look.size[0]} × {look.size[1]} pixels and must be enlarged {now.enlarged:.3g} times for "
            f"{config.width} × {config.height}; use an upscaler, or find it larger.",
            "mend",
        )


def _kind(look: Look) -> Iterator[Badge]:
    if look.transparent:
        yield Badge("transparent", "transparent", "Parts of it are transparent; they are laid over white.", "note")
    if look.several_frames:
        yield Badge("frames", "several frames", "It has several frames, of which the first is used.", "note")
