"""A source folder and its removals, without Gradio."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw

from lib_ti.config import PrepareConfig
from lib_ti.ui.dataset.painting import layer as painted
from lib_ti.ui.dataset.remove.state import Removals
from tests.fakes import FakeHost

BOX = (60, 320, 200, 350)


@pytest.fixture
def config(tmp_path: Path) -> PrepareConfig:
    source = tmp_path / "found"
    source.mkdir()
    with_text = Image.fromarray(skimage.data.coffee())
    ImageDraw.Draw(with_text).rectangle(BOX, "white")
    with_text.save(source / "coffee.png")
    Image.new("RGB", (64, 64), "red").save(source / "red", "PNG")  # an image by its content only
    (source / "notes.pdf").write_bytes(b"%PDF")
    return PrepareConfig(source=str(source), output=str(tmp_path / "prepared"), width=400, height=400)


@pytest.fixture
def removals(config: PrepareConfig) -> Removals:
    return Removals(FakeHost(Path(config.source).parent))


def layer(config: PrepareConfig, name: str = "coffee.png", box: tuple[int, int, int, int] = BOX) -> str:
    """What a page sends that has a box painted over."""
    path = Path(config.source) / name
    with Image.open(path) as image:
        mask = Image.new("L", image.size)
    mask.paste(255, (box[0] - 2, box[1] - 2, box[2] + 3, box[3] + 3))
    return painted.write(path, mask)


def seen(address: str) -> Image.Image:
    """The image that a page loads from an address of an image that was made to be shown."""
    name = parse_qs(urlparse(address).query)["name"][0]
    return Image.open(base64.urlsafe_b64decode(name).decode())


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one.convert("RGB"), float) - np.asarray(other.convert("RGB"), float)).mean())
