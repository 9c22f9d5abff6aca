"""From which values on a picture gets a badge when a folder is looked over."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import Settings, setting
from lib_ti.wording import number


@dataclass(frozen=True)
class LookConfig(Settings):
    """From which values on a picture gets a badge when a folder is looked over."""

    width: int = setting(
        512,
        "Width",
        "Width of the training pictures in pixels; pictures are judged as they are at that size.",
        minimum=64,
        maximum=2048,
        multiple=8,
    )
    height: int = setting(
        512,
        "Height",
        "Height of the training pictures in pixels; pictures are judged as they are at that size.",
        minimum=64,
        maximum=2048,
        multiple=8,
    )
    small: float = setting(
        1.0, "Too small above", "How many times a picture may be enlarged to reach the training size.", minimum=1
    )
    blurry: float = setting(
        45.0,
        "Blurry below",
        "Sharpness: about 100 for a sharp picture, 30 for a blurred one; 0 if blur is the style you seek.",
        minimum=0,
        maximum=100,
    )
    shaken: float = setting(
        72.0,
        "Shaken below",
        "How alike the sharpness is in all directions: 100 in a steady picture; 0 if motion is what you seek.",
        minimum=0,
        maximum=100,
    )
    grainy: float = setting(
        10.0,
        "Grainy from",
        "Noise in the calmest parts, in levels of 255; raise it if grainy is the style you seek.",
        minimum=0,
        maximum=255,
    )
    blocks: float = setting(
        1.2,
        "JPEG blocks from",
        "Height of the steps between the blocks of 8 pixels that strong compression leaves, in levels of 255.",
        minimum=0,
        maximum=255,
    )
    dark: float = setting(
        12.0,
        "Too dark below",
        "The brightness, of 100, that half of the picture is under; 0 if night is what you seek.",
        minimum=0,
        maximum=100,
    )
    bright: float = setting(
        82.0,
        "Too bright above",
        "The brightness, of 100, that half of the picture is over; things on a white ground are let pass.",
        minimum=0,
        maximum=100,
    )
    contrast: float = setting(
        30.0,
        "Low contrast below",
        "How far apart the darkest and the lightest parts are, of 100; 0 if mist is what you seek.",
        minimum=0,
        maximum=100,
    )
    lettering: float = setting(
        1.0,
        "Lettering from",
        "The share of the picture, in thousandths, that a piece of lettering covers; raise it if signs belong to the "
        "style.",
        minimum=0,
        maximum=1000,
    )
    duplicates: float = setting(
        88.0,
        "Near-duplicates from",
        "How alike two pictures are when one is cropped to fit the other: 100 for the same picture.",
        minimum=50,
        maximum=100,
    )

    def contradictions(self) -> list[str]:
        if self.dark >= self.bright:
            return [
                f"Too dark below is {number(self.dark)}, which is not under Too bright above, {number(self.bright)}."
            ]
        return []
