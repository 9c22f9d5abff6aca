from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_ti.config import InspectConfig
from lib_ti.prep.remove.text_map import text_map
from lib_ti.prep.remove.text_regions import INSPECTED_SIDE, downscaled_pixels, find_text, text_regions
from tests.prep.conftest import kinds
from tests.prep.photographs import SPOILT, letter, photograph, resize

LETTERED, WANTED = SPOILT["text"]
SOME = ("rocket", "chelsea", "coffee", "retina", "gravel")


@pytest.mark.parametrize("how", ["caption", "outlined", "signature", "address"])
def test_plain_text_is_flagged_on_anything(how: str) -> None:
    assert [name for name in SOME if not kinds(LETTERED[how](photograph(name))) & WANTED] == []


def test_most_faint_text_is_flagged() -> None:
    """Watermarks, and a date in a colour close to the ground's; on rough textures they may be missed."""
    faint = ("date", "watermark", "slanting watermark")
    seen = [bool(kinds(LETTERED[how](photograph(name))) & WANTED) for how in faint for name in SOME]
    assert sum(seen) >= 0.7 * len(seen)


def test_the_boxes_are_where_the_text_is() -> None:
    image = letter("HELLO WORLD", height=0.08, place=(0.5, 0.5))(Image.new("RGB", (1200, 800), "navy"))
    inside = image.convert("L").point(lambda level: 255 * (level > 60)).getbbox()
    boxes = np.array(text_regions(image))
    around = [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]
    assert all(abs(one - other) < 60 for one, other in zip(around, inside, strict=True))
    for box in boxes.tolist():
        ImageDraw.Draw(image).rectangle(box, fill="navy")
    assert image.getcolors() == [(1200 * 800, (0, 0, 128))]


def test_lines_are_found_from_the_top_down_at_any_size_of_the_image() -> None:
    image = letter("at the top, small", height=0.03, place=(0.1, 0.1))(photograph("coffee"))
    image = letter("BELOW", height=0.12, place=(0.5, 0.8))(image)
    boxes = text_regions(image)
    large = text_regions(resize(3)(image))
    assert len(boxes) >= 2
    assert [box[1] for box in boxes] == sorted(box[1] for box in boxes)
    assert any(box[1] < 80 for box in boxes) and any(box[3] > 260 for box in boxes)
    first, upscaling = np.array(boxes[0]), np.array(large[0])
    assert np.abs(first - upscaling / 3).max() < 30


def test_more_text_covers_more_and_none_covers_nothing() -> None:
    shares = []
    for text in ("few words", "twice the words, or more"):
        lettered = letter(text, height=0.04, place=(0.5, 0.5))(photograph("retina"))
        shares.append(sum(region.share for region in find_text(downscaled_pixels(lettered, INSPECTED_SIDE))))
    assert 1.8 < shares[1] / shares[0] < 4
    assert find_text(downscaled_pixels(photograph("retina"), INSPECTED_SIDE)) == []


def test_it_can_be_turned_off() -> None:
    image = LETTERED["caption"](photograph("retina"))
    assert kinds(image) == WANTED
    assert kinds(image, InspectConfig(text=1000)) == set()


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (31, 33), (640, 5)])
def test_tiny_and_narrow_images_have_none(size: tuple[int, int]) -> None:
    assert text_regions(Image.new("RGB", size, "gray")) == []


def test_the_map_has_a_cell_for_each_square_and_is_the_same_each_time() -> None:
    pixels = np.asarray(photograph("coffee"))
    seen = text_map(pixels[:203, :402])
    assert seen.shape == (50, 100)
    assert 0 <= seen.min() <= seen.max() <= 1
    assert np.array_equal(seen, text_map(pixels[:203, :402]))
