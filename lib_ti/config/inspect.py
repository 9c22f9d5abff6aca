"""Thresholds from which issues are reported when images are inspected."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import Settings, setting
from lib_ti.wording import number


@dataclass(frozen=True)
class InspectConfig(Settings):
    """Thresholds from which issues are reported when images are inspected."""

    width: int = setting(
        512,
        "Width",
        "Width of the training images in pixels; images are judged as they are at that size.",
        minimum=64,
        maximum=2048,
        multiple=8,
    )
    height: int = setting(
        512,
        "Height",
        "Height of the training images in pixels; images are judged as they are at that size.",
        minimum=64,
        maximum=2048,
        multiple=8,
    )
    small: float = setting(
        1.0, "Too small above", "How many times an image may be upscaled to reach the training size.", minimum=1
    )
    blurry: float = setting(
        45.0,
        "Blurry below",
        "Sharpness: about 100 for a sharp image, 30 for a blurred one; 0 if blur belongs to the style.",
        minimum=0,
        maximum=100,
    )
    motion_blur: float = setting(
        72.0,
        "Motion blur below",
        "How equal the sharpness is in all directions: 100 without motion blur; 0 if motion belongs to the style.",
        minimum=0,
        maximum=100,
    )
    noise: float = setting(
        10.0,
        "Noise from",
        "Noise in the smoothest regions, in levels of 255; raise it if grain belongs to the style.",
        minimum=0,
        maximum=255,
    )
    blocks: float = setting(
        1.2,
        "JPEG blocks from",
        "Steps between the blocks of 8 pixels that strong compression leaves, in levels of 255.",
        minimum=0,
        maximum=255,
    )
    dark: float = setting(
        12.0,
        "Too dark below",
        "Median brightness from 0 to 100; 0 if night belongs to the style.",
        minimum=0,
        maximum=100,
    )
    bright: float = setting(
        82.0,
        "Too bright above",
        "Median brightness from 0 to 100; subjects on a white background are not flagged.",
        minimum=0,
        maximum=100,
    )
    contrast: float = setting(
        30.0,
        "Low contrast below",
        "Difference of the darkest and the lightest regions, from 0 to 100; 0 if mist belongs to the style.",
        minimum=0,
        maximum=100,
    )
    text: float = setting(
        1.0,
        "Text from",
        "Share of the image, in thousandths, that text covers; raise it if signs belong to the style.",
        minimum=0,
        maximum=1000,
    )
    duplicates: float = setting(
        88.0,
        "Near-duplicates from",
        "Similarity of two images when one is cropped to fit the other: 100 for the same image.",
        minimum=50,
        maximum=100,
    )

    def contradictions(self) -> list[str]:
        if self.dark >= self.bright:
            return [
                f"Too dark below is {number(self.dark)}, which is not below Too bright above, {number(self.bright)}."
            ]
        return []
