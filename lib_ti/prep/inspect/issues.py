"""Issues of an image: reasons against training on it, and facts worth knowing, from its measures and the thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lib_ti.config import InspectConfig
from lib_ti.data.images.decode import enlargement
from lib_ti.prep.inspect.measure_folder import MeasuredImage
from lib_ti.prep.inspect.measures import at_downscaling

Advice = Literal["exclude", "fix", "note"]
"""What to do: exclude the image, fix it in the other steps, or nothing."""

_DARKEST_HIGHLIGHTS = 0.36
"""Brightness of the lightest parts below which an image is too dark whatever its median."""
_POOR_QUALITY = 25
"""JPEG quality up to which the loss is visible, whether or not blocks are measured."""
_BLOCKS_VISIBLE_UNTIL = 2.0
"""Downscaling from which the blocks of a strongly compressed image are too small to be learned."""


@dataclass(frozen=True)
class Issue:
    """``kind`` is for programs, ``label`` one or two words for the gallery, ``text`` one or two sentences."""

    kind: str
    label: str
    text: str
    advice: Advice


@dataclass(frozen=True)
class AtTrainingSize:
    """Measures of an image at the training size, with the factor of downscaling or upscaling; the other one is 1."""

    downscaling: float
    upscaling: float
    sharpness: float
    steadiness: float
    noise: float
    blocks: float

    @classmethod
    def of(cls, image: MeasuredImage, config: InspectConfig) -> AtTrainingSize:
        scale = enlargement(image.size, (config.width, config.height))
        downscaling = max(1.0, 1 / scale)
        structure = image.measures.structure
        return cls(
            downscaling=downscaling,
            upscaling=max(1.0, scale),
            sharpness=100 * at_downscaling(structure.sharpness, downscaling),
            steadiness=100 * at_downscaling(structure.steadiness, downscaling),
            noise=at_downscaling(structure.noise, downscaling),
            blocks=structure.blocks / downscaling,
        )


def issues_of(image: MeasuredImage, config: InspectConfig) -> tuple[Issue, ...]:
    """Return the issues of an image by itself; duplicates are found by comparing images."""
    at_training = AtTrainingSize.of(image, config)
    found = [
        *_sharpness(image, at_training, config),
        *_artifacts(image, at_training, config),
        *_exposure(image, config),
        *_size(image, at_training, config),
        *_file_kind(image),
    ]
    return tuple(found)


def _sharpness(image: MeasuredImage, now: AtTrainingSize, config: InspectConfig) -> Iterator[Issue]:
    if now.sharpness < config.blurry:
        yield Issue(
            "blurry",
            "blurry",
            f"Its sharpness at the training size is {now.sharpness:.0f}, below {config.blurry:g}; the embedding would "
            "learn the blur.",
            "exclude",
        )
    elif now.steadiness < config.motion_blur:
        yield Issue(
            "motion_blur",
            "motion blur",
            f"It is much less sharp in one direction than in the other ({now.steadiness:.0f}, below "
            f"{config.motion_blur:g}), as when the camera or the subject moved.",
            "exclude",
        )
    elif 100 * image.measures.structure.sharpness[0] < config.blurry:
        yield Issue(
            "soft",
            "soft pixels",
            "Its single pixels are soft, as after upscaling; the whole image is sharp at the training size, but "
            "crops of it may not be.",
            "note",
        )


def _artifacts(image: MeasuredImage, now: AtTrainingSize, config: InspectConfig) -> Iterator[Issue]:
    if now.noise >= config.noise:
        yield Issue(
            "noise",
            "noise",
            f"It has noise of {now.noise:.0f} levels, {config.noise:g} or more; noise is learned quickly.",
            "exclude",
        )
    quality = image.measures.jpeg_quality
    poor = 0 < quality <= _POOR_QUALITY and now.downscaling < _BLOCKS_VISIBLE_UNTIL and config.blocks < 255
    if now.blocks >= config.blocks or poor:
        saved = f", and it was saved with a quality of about {quality}" if quality else ""
        yield Issue(
            "jpeg_blocks",
            "JPEG blocks",
            f"Strong compression left blocks in it (steps of {now.blocks:.1f} levels{saved}).",
            "exclude",
        )
    if image.measures.text >= config.text:
        yield Issue("text", "text", "It seems to contain text or a watermark; remove it, or crop it away.", "fix")


def _exposure(image: MeasuredImage, config: InspectConfig) -> Iterator[Issue]:
    exposure = image.measures.exposure
    median, contrast = 100 * exposure.median, 100 * (exposure.lightest - exposure.darkest)
    if median < config.dark or (config.dark and exposure.lightest < _DARKEST_HIGHLIGHTS):
        yield Issue("dark", "dark", f"Half of it is darker than {median:.0f} of 100.", "exclude")
    elif median > config.bright and not exposure.white_background:
        yield Issue("bright", "too bright", f"Half of it is brighter than {median:.0f} of 100.", "exclude")
    elif contrast < config.contrast:
        yield Issue(
            "low_contrast",
            "low contrast",
            f"Its darkest and lightest parts are only {contrast:.0f} of 100 apart, as in mist.",
            "exclude",
        )


def _size(image: MeasuredImage, now: AtTrainingSize, config: InspectConfig) -> Iterator[Issue]:
    if now.upscaling > config.small:
        yield Issue(
            "small",
            f"small, {now.upscaling:.2g}×",
            f"It has {image.size[0]} × {image.size[1]} pixels and must be upscaled {now.upscaling:.3g} times for "
            f"{config.width} × {config.height}; use an upscaler, or find a larger copy.",
            "fix",
        )


def _file_kind(image: MeasuredImage) -> Iterator[Issue]:
    if image.transparent:
        yield Issue("transparent", "transparent", "Parts of it are transparent; they are shown on white.", "note")
    if image.several_frames:
        yield Issue("several_frames", "several frames", "It has several frames; the first one is used.", "note")
