"""How source images become a training set."""

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
    """How source images become a training set."""

    source: str = setting(
        "", "Source folder", "Folder with the source images; it is only read.", required=True, path="folder"
    )
    subfolders: bool = setting(
        False, "Include sub-folders", "Use the images of all sub-folders of the source folder too."
    )
    output: str = setting(
        "", "Prepared folder", "Folder for the results, outside the source folder.", required=True, path="new folder"
    )
    width: int = setting(512, "Width", "Width of the training images in pixels.", minimum=64, maximum=2048, multiple=8)
    height: int = setting(
        512, "Height", "Height of the training images in pixels.", minimum=64, maximum=2048, multiple=8
    )
    shape: str = setting(
        "crop",
        "Shape",
        "crop: all results have the shape of width × height; buckets: each has the nearest of several aspect ratios; "
        "keep: whole images, scaled until they just cover width × height.",
        choices=("crop", "buckets", "keep"),
    )
    framing: str = setting(
        "saliency",
        "Framing",
        "Where images without a crop box of your own are cropped. saliency: around faces and what stands out; "
        "centre: in the middle.",
        choices=("saliency", "centre"),
    )
    split: bool = setting(
        False, "Split oversized images", "Split long images into overlapping crops instead of cropping one region."
    )
    split_threshold: float = setting(
        0.5,
        "Split image threshold",
        "An image is split when the largest crop of the training shape contains at most this share of it.",
        minimum=0,
        maximum=1,
    )
    split_overlap: float = setting(
        0.2,
        "Split image overlap ratio",
        "Smallest share of each crop that the next one shows too.",
        minimum=0,
        maximum=0.9,
    )
    flip: bool = setting(
        False, "Create flipped copies", "Add each result a second time, mirrored; leave it off for faces and text."
    )
    flip_words: bool = setting(
        False, "Swap left and right in captions of flipped copies", "“on the left” becomes “on the right”."
    )
    upscaler: str = setting(
        LANCZOS,
        "Upscaler",
        "How results below the training size are upscaled to it: Lanczos, an installed upscaler, or none to keep them "
        "small.",
        required=True,
    )
    downscale: bool = setting(True, "Downscale larger results", "Downscale results above the training size to it.")
    name: str = setting("image", "Name", "Word that replaces [name] in the names of the results.")
    name_pattern: str = setting(
        "[name]_[number]",
        "Name pattern",
        "How results are named: [name] is the name above, [number] counts, [stem] is the source's file name.",
        required=True,
    )
    name_captions: bool = setting(
        True,
        "Captions from file names",
        "Images without a text file get their file name as caption, as in training; off: their captions stay empty.",
    )
    fill: str = setting(
        "auto",
        "Fill method",
        "How removed regions are filled. patchmatch: with texture from elsewhere in the image; telea and ns: from the "
        "edges, for scratches; model: generated; auto: patchmatch, or telea for scratches and where the package "
        "patchmatch-cython is missing.",
        choices=("auto", "patchmatch", "telea", "ns", "model"),
    )
    fill_prompt: str = setting("", "Fill prompt", "What the model generates in removed regions; empty: whatever fits.")
    workers: int = setting(
        0, "Workers", "Images processed at once; 0: as many as there are CPU cores.", minimum=0, maximum=MOST_WORKERS
    )

    def contradictions(self) -> list[str]:
        found = []
        if self.split and self.shape == "keep":
            found.append(
                "Split oversized images crops images to the training shape, and Shape is 'keep'; "
                "choose crop or buckets, or do not split."
            )
        unknown = [part for part in re.findall(r"\[[^\[\]]*\]", self.name_pattern) if part not in _PARTS_OF_NAMES]
        if unknown:
            found.append(
                f"Name pattern is {quoted(self.name_pattern)}, and {unknown[0]} is not known; "
                f"use {', '.join(_PARTS_OF_NAMES)}."
            )
        elif self.name_pattern.strip() and not {"[number]", "[stem]"} & set(re.findall(r"\[\w+\]", self.name_pattern)):
            found.append(
                f"Name pattern is {quoted(self.name_pattern)}; it needs [number] or [stem], so that the names differ."
            )
        if "[name]" in self.name_pattern and not self.name.strip():
            found.append("Name is empty, and the name pattern uses it; give a word such as my-style.")
        return found
