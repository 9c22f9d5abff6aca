"""How an image came to its training size, as given to models that are conditioned on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_ti.data.dataset import Item, Resize
from lib_ti.data.framing import framing_of
from lib_ti.host.model import Framing


@pytest.mark.parametrize(
    ("source", "resize", "size", "crop"),
    [
        ((1024, 512), "crop", (512, 512), (256, 0)),
        ((1024, 2048), "buckets", (512, 640), (0, 192)),
        ((100, 100), "crop", (512, 512), (0, 0)),
        ((515, 517), "keep", (512, 512), (1, 2)),
    ],
)
def test_the_crop_is_centred_in_the_scaled_image(
    source: tuple[int, int], resize: Resize, size: tuple[int, int], crop: tuple[int, int]
) -> None:
    item = Item(Path("a.png"), "a.png", "", "file", source, size, "digest")
    assert framing_of(item, resize) == Framing(source, crop, size)
