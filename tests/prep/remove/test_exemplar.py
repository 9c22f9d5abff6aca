"""Exemplar fill: texture continues, the rest stays, and it is optional."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw

from lib_ti.errors import BadInput
from lib_ti.prep.remove import exemplar
from lib_ti.prep.remove.inpaint import FillMethod, inpaint, mask_from_boxes, plain_methods

needs_package = pytest.mark.skipif(not exemplar.available(), reason="patchmatch-cython is not installed")
BOX = (150, 200, 230, 240)


def brick() -> Image.Image:
    return Image.fromarray(skimage.data.brick()).convert("RGB")


def gradient_energy(image: Image.Image) -> float:
    levels = np.asarray(image.convert("L"), float)
    return float((np.diff(levels, axis=0)[:, :-1] ** 2 + np.diff(levels, axis=1)[:-1] ** 2).mean())


def fill_of(image: Image.Image, method: FillMethod, box: tuple[int, int, int, int] = BOX) -> Image.Image:
    return inpaint(image, mask_from_boxes([box], image.size), method).pixels.convert("RGB")


@needs_package
def test_a_texture_continues_where_opencv_blurs_it() -> None:
    truth = gradient_energy(brick().crop(BOX))
    assert 0.5 * truth < gradient_energy(fill_of(brick(), FillMethod("patchmatch"))) < 1.5 * truth
    assert gradient_energy(fill_of(brick(), FillMethod("telea"))) < 0.3 * truth


@needs_package
def test_a_fill_depends_on_its_seed_and_not_on_what_was_filled_before() -> None:
    first = fill_of(brick(), FillMethod("patchmatch", seed=3))
    other = fill_of(brick(), FillMethod("patchmatch", seed=4))
    again = fill_of(brick(), FillMethod("patchmatch", seed=3))
    assert first.tobytes() == again.tobytes() != other.tobytes()


@needs_package
def test_what_was_painted_over_never_shows_in_the_fill() -> None:
    image = brick()
    boxes = [(100, 100, 130, 130), (170, 100, 190, 120), (300, 300, 320, 320)]
    for box in boxes:
        ImageDraw.Draw(image).rectangle(box, "red")
    patch = inpaint(image, mask_from_boxes(boxes, image.size, margin=1), FillMethod("patchmatch"))
    levels = np.asarray(patch.pixels)
    red = (levels[..., 3] > 0) & (levels[..., 0].astype(int) - levels[..., 1] > 30)
    assert not red.any()
    assert (levels[..., 3] > 0).sum() > 1900


@needs_package
@pytest.mark.parametrize(
    ("size", "box"), [((20, 20), (1, 1, 5, 5)), ((2, 5), (0, 0, 1, 2)), ((1, 9), (0, 2, 1, 5)), ((40, 9), (0, 0, 9, 9))]
)
def test_small_images_are_filled(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    assert fill_of(Image.new("RGB", size, "blue"), FillMethod("patchmatch"), box).getcolors() == [
        ((box[2] - box[0]) * (box[3] - box[1]), (0, 0, 255))
    ]


@needs_package
def test_a_large_hole_is_filled_from_a_smaller_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exemplar, "_LARGEST", 800)
    filled = fill_of(brick(), FillMethod("patchmatch"))
    assert filled.size == (80, 40)
    assert gradient_energy(filled) > 0.05 * gradient_energy(brick().crop(BOX))


@needs_package
def test_a_hole_with_nothing_around_is_refused() -> None:
    with pytest.raises(BadInput, match="So little of the image is left .*; paint over less, or choose telea or ns"):
        fill_of(Image.new("RGB", (300, 200)), FillMethod("patchmatch"), (0, 0, 299, 200))


def method_of(box: tuple[int, int, int, int]) -> str:
    return inpaint(brick(), mask_from_boxes([box], (512, 512)), FillMethod("auto")).region.method


@needs_package
def test_auto_is_patchmatch_and_telea_for_scratches_and_where_little_is_left() -> None:
    assert method_of(BOX) == "patchmatch"
    assert method_of((10, 100, 400, 104)) == "telea"
    assert method_of((0, 0, 512, 400)) == "telea"
    assert plain_methods() == ("patchmatch", "telea", "ns")


def test_without_the_package_auto_is_telea_and_patchmatch_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exemplar, "CythonSolver", None)
    assert method_of(BOX) == "telea"
    assert plain_methods() == ("telea", "ns")
    with pytest.raises(BadInput, match="install it with pip install --no-deps patchmatch-cython==.*, or choose auto"):
        fill_of(brick(), FillMethod("patchmatch"))
