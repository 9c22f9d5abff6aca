"""The painted layer as the text that carries it between page and server."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_ti.errors import BadInput
from lib_ti.ui.dataset.painting import layer as painted


def test_paint_is_the_same_after_a_round_trip_to_the_page(tmp_path: Path) -> None:
    mask = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40), dtype=np.uint8))
    found = painted.read(painted.write(tmp_path / "ä b.png", mask))
    assert found.name == "ä b.png"
    assert found.belongs_to(tmp_path / "ä b.png")
    assert not found.belongs_to(tmp_path / "other" / "ä b.png")
    assert found.layer is not None
    assert found.layer.tobytes() == mask.tobytes()


def test_a_large_image_is_painted_on_smaller(tmp_path: Path) -> None:
    mask = Image.new("L", (6000, 3000))
    mask.paste(255, (3000, 0, 6000, 3000))
    found = painted.read(painted.write(tmp_path / "a.png", mask))
    assert found.layer is not None
    assert found.layer.size == painted.shown_size(mask.size) == (2048, 1024)
    whole = found.at_size((6000, 3000))
    assert whole is not None
    assert np.mean(np.asarray(whole) != np.asarray(mask)) < 0.001


def test_nothing_painted_is_no_layer(tmp_path: Path) -> None:
    assert painted.read(painted.write(tmp_path / "a.png", Image.new("L", (9, 9)))).layer is None
    assert painted.read(painted.write(tmp_path / "a.png", None)).at_size((9, 9)) is None


def png(size: tuple[int, int]) -> str:
    file = io.BytesIO()
    Image.new("RGBA", size).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "a.b c d e",
        f"{'0' * 16}.YQ== 1 data:image/jpeg;base64,AAAA",
        f"{'0' * 16}.YQ== 1 data:image/png;base64,AAAA",
        f"{'0' * 16}.YQ== 1 data:image/png;base64,{png((2049, 1))}",
        f"{'0' * 16}.Y 1",
    ],
)
def test_what_no_page_sends_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="reload the page"):
        painted.read(text)
