"""Strokes of text drawn on photographs, where it is known which pixels they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import skimage.data
import sklearn.datasets
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from lib_ti.prep.crop_box import PixelBox
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.remove.inpaint import FillMethod, inpaint, mask_from_boxes
from lib_ti.prep.remove.patches import apply
from lib_ti.prep.remove.text_mask import text_mask

FONT = font_manager.findfont("DejaVu Sans:bold")
PHOTOGRAPHS: dict[str, Callable[[], np.ndarray]] = {
    "coffee": skimage.data.coffee,
    "astronaut": skimage.data.astronaut,
    "rocket": skimage.data.rocket,
    "chelsea": skimage.data.chelsea,
    "china": lambda: sklearn.datasets.load_sample_image("china.jpg"),
    "flower": lambda: sklearn.datasets.load_sample_image("flower.jpg"),
}


def with_text(
    image: Image.Image, colour: str, opacity: int = 255, size: int = 26
) -> tuple[Image.Image, np.ndarray, PixelBox]:
    """The image with words near its lower edge, which pixels they changed, and a box around them."""
    layer = Image.new("L", image.size)
    font = ImageFont.truetype(FONT, size)
    place = (image.width // 2 - 4 * size, image.height - 3 * size)
    ImageDraw.Draw(layer).text(place, "© my site.com", opacity, font)
    result = Image.composite(Image.new("RGB", image.size, colour), image, layer)
    left, top, right, bottom = layer.getbbox()
    return result, np.asarray(layer) > opacity // 4, (left - 8, top - 6, right + 8, bottom + 6)


def error(image: Image.Image, mask: Image.Image, original: Image.Image) -> float:
    filled = apply(LayeredImage(image, None, None, ""), [inpaint(image, mask, FillMethod("telea"))]).image
    return float(np.abs(np.asarray(filled, float) - np.asarray(original, float)).sum())


@pytest.mark.parametrize(("colour", "opacity"), [("white", 255), ("black", 255), ("yellow", 255), ("white", 150)])
def test_strokes_are_covered_and_most_of_the_image_between_them_is_kept(colour: str, opacity: int) -> None:
    better = 0
    for load in PHOTOGRAPHS.values():
        original = Image.fromarray(load())
        image, letters, box = with_text(original, colour, opacity)
        whole, mask = mask_from_boxes([box], image.size), text_mask(image, [box])
        binarize = np.asarray(mask) > 0
        assert not binarize[np.asarray(whole) == 0].any()
        assert binarize[letters].mean() > 0.8
        better += error(image, mask, original) < 0.5 * error(image, whole, original)
    assert better >= len(PHOTOGRAPHS) - 1


def test_a_box_without_strokes_is_masked_whole() -> None:
    image = Image.new("RGB", (80, 60), "grey")
    assert text_mask(image, [(10, 10, 50, 30)]).tobytes() == mask_from_boxes([(10, 10, 50, 30)], image.size).tobytes()


@pytest.mark.parametrize("box", [(-5, -5, 10, 10), (75, 55, 81, 61), (3, 3, 4, 4), (90, 90, 95, 95), (5, 5, 5, 9)])
def test_boxes_at_and_beyond_the_edges_are_clipped_to_the_image(box: PixelBox) -> None:
    assert text_mask(Image.new("RGB", (80, 60)), [box]).size == (80, 60)


def test_boxes_that_overlap_add_up() -> None:
    image, _, box = with_text(Image.fromarray(skimage.data.coffee()), "white")
    left, top, right, bottom = box
    both = np.asarray(text_mask(image, [box, (left, top, (left + right) // 2, bottom)]))
    assert (both >= np.asarray(text_mask(image, [box]))).all()
