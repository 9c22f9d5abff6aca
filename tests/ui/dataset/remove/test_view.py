"""The image to paint on, as the page shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.config import PrepareConfig
from lib_ti.ui.dataset.painting import view as painting_view
from lib_ti.ui.dataset.painting.view import PaintableImage
from lib_ti.ui.dataset.remove.fills import FillRequest
from lib_ti.ui.dataset.remove.state import Removals
from lib_ti.ui.server.temporary_images import TemporaryImages
from tests.fakes import FakeHost
from tests.ui.dataset.remove.conftest import layer, seen


def test_the_stage_has_the_size_that_is_painted_on(config: PrepareConfig, removals: Removals) -> None:
    page = painting_view.stage(removals.stage(config, "coffee.png"), "ti_remove_mask")
    assert '<canvas width="600" height="400"' in page
    assert "ti-before" not in page
    assert "ti-compare" not in page
    removals.remove(FillRequest(config, "coffee.png", layer(config)))
    page = painting_view.stage(removals.stage(config, "coffee.png"), "ti_remove_mask")
    assert 'class="ti-before"' in page
    assert 'data-note="1 removed"' in page


def test_names_are_text(tmp_path: Path) -> None:
    name = "<b onload='x'>&.png"
    Image.new("RGB", (64, 64)).save(tmp_path / name)
    page = painting_view.row([PaintableImage(tmp_path / name, name, "<i>")], "goto")
    assert "<b onload" not in page
    assert "<i>" not in page
    assert re.search(r'data-name="&lt;b onload=&#x27;x&#x27;&gt;&amp;\.png"', page)


def test_temporary_images_are_made_once_and_the_newest_are_kept() -> None:
    made: list[str] = []

    def make(key: str) -> Image.Image:
        made.append(key)
        return Image.new("RGB", (8, 8))

    shown = TemporaryImages(most=2)
    addresses = {key: shown.address(key, lambda key=key: make(key)) for key in ("a", "b", "a", "c")}
    assert made == ["a", "b", "c"]
    assert seen(addresses["a"]).size == (8, 8)
    with pytest.raises(FileNotFoundError):
        seen(addresses["b"])
    shown.address("b", lambda: make("b"))
    assert made == ["a", "b", "c", "b"]


def test_an_image_of_a_subfolder_can_be_chosen(tmp_path: Path) -> None:
    inner = tmp_path / "found" / "10_thing"
    inner.mkdir(parents=True)
    for number, path in enumerate((inner.parent / "a.png", inner / "a.png")):
        Image.new("RGB", (64, 64), (90 * number, 0, 0)).save(path)
    config = PrepareConfig(source=str(inner.parent), output=str(tmp_path / "prepared"), subfolders=True)
    work = Removals(FakeHost(tmp_path))
    assert [one.name for one in work.images(config)] == ["a.png", "10_thing/a.png"]
    assert work.stage(config, "10_thing/a.png").path == inner / "a.png"
