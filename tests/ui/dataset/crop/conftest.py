"""A source folder and its crop boxes, on real files and without Gradio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from PIL import Image

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.ui.dataset.crop import state
from lib_ti.ui.dataset.crop.state import FolderCrops, ImageCrops

EVIL = '"><script>alert(1)</script>.png'


def task() -> TaskContext:
    return TaskContext(lambda **_: None)


@pytest.fixture
def config(tmp_path: Path) -> PrepareConfig:
    """Two photographs, 451×300 and 600×400, one that is square, and a broken file."""
    source = tmp_path / "found"
    source.mkdir()
    Image.fromarray(skimage.data.chelsea()).save(source / "cat.jpg", quality=95)
    Image.fromarray(skimage.data.coffee()).save(source / "10 coffee.png")
    Image.fromarray(skimage.data.coffee()[:200, :200]).save(source / "2 corner.png")
    (source / "broken.jpg").write_bytes(b"no image")
    return PrepareConfig(source=str(source), output=str(tmp_path / "prepared"), width=256, height=256)


@pytest.fixture
def found(config: PrepareConfig) -> FolderCrops:
    return state.propose(config, (), task())


def crops_of(found: FolderCrops, name: str) -> ImageCrops:
    return next(one for one in found.images if one.name == name)


def sent(found: FolderCrops, name: str, boxes: list[list[float]], *, excluded: bool = False, **changes: Any) -> str:
    """A message as the page's script sends it."""
    decision = {"name": name, "excluded": excluded, "crop_boxes": boxes}
    decisions = {digest(found, name): decision}
    folders = {"source": found.config.source, "folder": str(found.folder.path)}
    return json.dumps({"number": "17", **folders, "images": decisions, **changes})


def digest(found: FolderCrops, name: str) -> str:
    return crops_of(found, name).item.digest


def edited(found: FolderCrops) -> Edits:
    return state.decide(
        found.folder,
        {
            digest(found, "cat.jpg"): ImageEdits(
                "cat.jpg", crop_boxes=(CropBox(0.1, 0.1, 0.4, 0.6), CropBox(0.333333, 0, 0.5, 0.75))
            ),
            digest(found, "2 corner.png"): ImageEdits("2 corner.png", excluded=True),
        },
    )
