"""The folders of captioners: one sub-folder for each model, whose name is the captioner's."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lib_ti.host.tools import Captioner, TagOptions
from lib_ti.lazy import lazy

if TYPE_CHECKING:
    from lib_ti.host.captioners import image_to_text, wd_tagger
else:
    image_to_text = lazy("lib_ti.host.captioners.image_to_text")
    wd_tagger = lazy("lib_ti.host.captioners.wd_tagger")

TAGS_FILE = "selected_tags.csv"


def captioner_folders(folder: Path, taken: Collection[str]) -> dict[str, Path]:
    """Return the sub-folders of a folder by the captioners' names, sorted; none where there is no such folder.

    A name that a host's own captioner has already, one of ``taken``, gets the folder's name before it.
    """
    found = sorted(folder.iterdir(), key=lambda path: path.name.casefold()) if folder.is_dir() else []
    return {
        f"{folder.name}/{path.name}" if path.name in taken else path.name: path
        for path in found
        if path.is_dir() and not path.name.startswith(".")
    }


def load(folder: Path, tags: TagOptions, device: torch.device) -> Captioner:
    """Load the captioner of a folder: a WD tagger where it has an ONNX file or a list of tags, else image-to-text.

    Raises
    ------
    BadInput
        When a file is missing, damaged or of another kind: which one; or a package is missing.
    """
    if (folder / TAGS_FILE).exists() or any(folder.glob("*.onnx")):
        return wd_tagger.load(folder, TAGS_FILE, tags, device)
    return image_to_text.load(folder, device)
