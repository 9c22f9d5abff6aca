"""How found pictures become a training set."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lib_ti.config.setting import Settings, setting
from lib_ti.wording import quoted

NO_UPSCALER = "none"
LANCZOS = "Lanczos"
MOST_WORKERS = 64
_PARTS_OF_NAMES = ("[name]", "[number]", "[stem]")


@dataclass(frozen=True)
class PrepareConfig(Settings):
    """How found pictures become a training set."""

    source: str = setting(
        "", "Source folder", "Folder with the found pictures; it is only read.", required=True, path=True
    )
    subfolders: bool = setting(
        False, "Include sub-folders", "Use the images of all sub-folders of the source folder too."
    )
    output: str = setting(
        "", "Prepared folder", "Folder for the results, outside the source folder.", required=True, path=True
    )
    width: int = setting(
        512, "Width", "Width of the training pictures in pixels.", minimum=64, maximum=2048, multiple=8
    )
    height: int = setting(
        512, "Height", "Height of the training pictures in pixels.", minimum=64, maximum=2048, multiple=8
    )
    shape: str = setting(
        "crop",
        "Shape",
        "crop: all results have the shape of width × height; buckets: each has the nearest of several aspect ratios; "
        "keep: whole pictures, scaled until they just cover width × height.",
        choices=("crop", "buckets", "keep"),
    )
    framing: str = setting(
        "saliency",
        "Framing",
        "Where a picture is cropped that has no frame drawn by hand. saliency: around faces and what stands out; "
        "centre: in the middle.",
        choices=("saliency", "centre"),
    )
    split: bool = setting(
        False, "Split oversized images", "Cut long pictures into overlapping parts instead of cropping one part."
    )
    split_threshold: float = setting(
        0.5,
        "Split image threshold",
        "A picture is split when the largest crop of the training shape would hold no more than this share of it.",
        minimum=0,
        maximum=1,
    )
    split_overlap: float = setting(
        0.2,
        "Split image overlap ratio",
        "The share of each part that its neighbour shows too, at the least.",
        minimum=0,
        maximum=0.9,
    )
    flip: bool = setting(
        False, "Create flipped copies", "Add each result a second time, mirrored; leave it off for faces and lettering."
    )
    flip_words: bool = setting(
        False, "Swap left and right in captions of flipped copies", "“on the left” becomes “on the right”."
    )
    upscaler: str = setting(
        LANCZOS,
        "Upscaler",
        "What enlarges results below the training size, never beyond it: Lanczos, an upscaler that is installed, "
        "or none to leave them small.",
        required=True,
    )
    reduce: bool = setting(True, "Reduce larger results", "Bring results above the training size down to it.")
    name: str = setting("picture", "Name", "The word that [name] stands for in the names of the results.")
    name_pattern: str = setting(
        "[name]_[number]",
        "Name pattern",
        "How results are named: [name] is the name above, [number] counts, [stem] is the source's file name.",
        required=True,
    )
    name_captions: bool = setting(
        True,
        "Captions from file names",
        "A picture without a text file has its file name for a caption, as in training; off: its caption stays empty.",
    )
    fill: str = setting(
        "telea",
        "Fill method",
        "How erased parts are filled. telea and ns: from what surrounds them, for small parts; model: drawn anew.",
        choices=("telea", "ns", "model"),
    )
    fill_prompt: str = setting("", "Fill prompt", "What the model draws in erased parts; empty: what fits.")
    workers: int = setting(
        0, "Workers", "Pictures worked on at once; 0: as many as there are cores.", minimum=0, maximum=MOST_WORKERS
    )

    def contradictions(self) -> list[str]:
        found = []
        if self.split and self.shape == "keep":
            found.append(
                "Split oversized images cuts pictures to the training shape, and Shape is 'keep'; "
                "choose crop or buckets, or do not split."
            )
        unknown = [part for part in re.findall(r"\[[^\[\]]*\]", self.name_pattern) if part not in _PARTS_OF_NAMES]
        if unknown:
            found.append(
                f"Name pattern is {quoted(self.name_pattern)}, and {unknown[0]} means nothing; "
                f"there are {', '.join(_PARTS_OF_NAMES)}."
            )
        elif self.name_pattern.strip() and not {"[number]", "[stem]"} & set(re.findall(r"\[\w+\]", self.name_pattern)):
            found.append(
                f"Name pattern is {quoted(self.name_pattern)}; it needs [number] or [stem], so that the names differ."
            )
        if "[name]" in self.name_pattern and not self.name.strip():
            found.append("Name is empty, and the name pattern uses it; give a word such as my-style.")
        return found
