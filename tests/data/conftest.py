"""Small real image files, and an encoder that remembers what it was asked to encode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lib_ti.host.model import LatentStats
from tests.fakes import FakeModel


class ImageFolder:
    """A folder to draw images of random blocks into: another image for each name, equal bytes for equal calls."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def draw(self, name: str, size: tuple[int, int] = (64, 64), *, caption: str | None = None, **options: Any) -> Path:
        """Options are Pillow's for saving; ``mode`` is the image's, and ``salt`` gives another image of a name."""
        mode = options.pop("mode", "RGB")
        rng = np.random.default_rng(list(f"{name}{options.pop('salt', '')}".encode()))
        blocks = Image.fromarray(rng.integers(0, 256, (8, 8, 4), dtype=np.uint8), "RGBA").resize(size)
        path = self.path / name
        blocks.convert(mode).save(path, **options)
        if caption is not None:
            path.with_suffix(".txt").write_text(caption, encoding="utf-8")
        return path


@pytest.fixture
def images(tmp_path: Path) -> ImageFolder:
    return ImageFolder(tmp_path / "images")


class EncoderModel(FakeModel):
    """Averages 8×8 pixels, as its base does; ``encoded`` has the shapes (B, 3, H, W) of the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[tuple[int, ...]] = []

    def encode_images(self, pixels: torch.Tensor) -> LatentStats:
        self.encoded.append(tuple(pixels.shape))
        return super().encode_images(pixels)

    @property
    def images_encoded(self) -> int:
        return sum(shape[0] for shape in self.encoded)


@pytest.fixture
def model() -> EncoderModel:
    return EncoderModel()
