"""The grid of images with their crop boxes."""

from __future__ import annotations

import re
import time
from pathlib import Path

from PIL import Image

from lib_ti.config import PrepareConfig
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.ui.dataset.crop import state, view
from lib_ti.ui.dataset.crop.state import FolderCrops
from tests.ui.dataset.crop.conftest import EVIL, digest, edited, task


def test_the_grid_shows_crop_boxes_where_they_are_and_how_large(found: FolderCrops) -> None:
    page = view.grid(found, edited(found))
    cards = re.findall(r'<figure class="ti-card([^"]*)"[^>]*data-name="([^"]*)"', page)
    assert cards == [(" ti-is-excluded", "2 corner.png"), ("", "10 coffee.png"), ("", "cat.jpg")]
    cat = page[page.index('data-name="cat.jpg"') :]
    assert cat.count('class="ti-crop-box ti-upscaled"') == 2  # by hand, and smaller than 256 × 256
    assert 'data-box="0.100443 0.100000 0.399113 0.600000"' in cat  # of the shape that is trained
    assert "180×180<b" in cat
    assert "×1.42</b>" in cat  # 256 / 180
    assert '<div class="ti-crop-box ti-default" tabindex="0"' in page
    assert "Files that cannot be used (1)" in page


def test_crop_boxes_of_any_shape_are_shown_as_the_bucket_that_they_become(config: PrepareConfig) -> None:
    found = state.propose(PrepareConfig(**{**vars(config), "shape": "buckets"}), (), task())
    edits = state.decide(
        found.folder, {digest(found, "cat.jpg"): ImageEdits("cat.jpg", crop_boxes=(CropBox(0, 0, 1, 0.6),))}
    )
    page = view.grid(found, edits)
    assert "352x160" in page.split('data-buckets="')[1].split('"')[0].split()
    plan = make_plan(found.config)
    crop_size = next(one.spec.crop_size for one in plan.results if one.spec.item.path.name == "cat.jpg")
    assert f"{crop_size[0]}×{crop_size[1]}<b" in page


def test_names_are_text(config: PrepareConfig) -> None:
    Image.new("RGB", (64, 64)).save(Path(config.source) / EVIL.replace("/", ""))
    found = state.propose(config, (), task())
    page = view.grid(found, Edits())
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_each_grid_is_another_text_so_that_a_page_shows_it(found: FolderCrops) -> None:
    assert view.grid(found, Edits()) != view.grid(found, Edits())


def test_answers_name_the_message(found: FolderCrops) -> None:
    answer = view.saved("17", edited(found))
    assert 'data-saved="17"' in answer
    assert "1 image excluded, 1 cropped by hand." in answer
    assert 'data-saved="17" data-failed="yes"' in view.not_saved("17", "")


def test_a_thousand_images_are_a_page_within_a_second(config: PrepareConfig, found: FolderCrops) -> None:
    many = FolderCrops(config, PreparedFolder(Path(config.output)), found.images[:1] * 1000, ())
    start = time.perf_counter()
    page = view.grid(many, Edits())
    assert time.perf_counter() - start < 2  # 0.1 s on a free machine
    assert len(page) < 2_000_000
