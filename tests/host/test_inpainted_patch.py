"""The patch of an image that models inpaint: its size, its mask, and pasting it back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_ti.host.inpainted_patch import InpaintedPatch, cut_out, put_back
from tests.host.drawn import noise, painted


@pytest.mark.parametrize(
    ("size", "box", "place", "drawn"),
    [
        ((640, 480), (300, 200, 329, 219), (187, 82, 443, 338), (256, 256)),  # small: as much as the model draws
        ((640, 480), (0, 0, 9, 9), (0, 0, 256, 256), (256, 256)),  # at the border
        ((2000, 1500), (500, 500, 1499, 999), (0, 250, 2000, 1250), (544, 272)),  # large: reduced
        ((4000, 3000), (0, 100, 3999, 159), (0, 2, 4000, 258), (1520, 96)),  # a line of text across
        ((100, 60), (10, 10, 19, 19), (0, 0, 100, 60), (328, 200)),  # a small image: upscaled
    ],
)
def test_a_patch_has_the_size_that_the_model_generates(
    size: tuple[int, int], box: tuple[int, ...], place: tuple[int, ...], drawn: tuple[int, int]
) -> None:
    patch = cut_out(noise(*size), painted(size, box), 256)
    assert patch is not None
    assert (patch.box, patch.image.size, patch.mask.size) == (place, drawn, drawn)


def test_a_patch_covers_whole_cells_and_hides_what_is_to_go() -> None:
    image = Image.new("RGB", (128, 128), (10, 200, 30))
    ImageDraw.Draw(image).rectangle((40, 43, 70, 60), fill=(255, 0, 255))
    patch = cut_out(image, painted(image.size, (40, 43, 70, 60)), 128)
    assert patch is not None
    covered = np.asarray(patch.mask).reshape(16, 8, 16, 8).transpose(0, 2, 1, 3).reshape(16, 16, 64)
    assert set(covered.min(2).ravel()) | set(covered.max(2).ravel()) == {0, 255}
    assert np.array_equal(covered.min(2), covered.max(2))
    assert (np.asarray(patch.mask)[43:61, 40:71] == 255).all()
    assert np.abs(np.asarray(patch.image).astype(int) - (10, 200, 30)).max() <= 2


def test_only_the_region_is_replaced_and_in_the_tone_of_the_image() -> None:
    image = noise(90, 70)
    mask = painted(image.size, (30, 20, 49, 39)).point(lambda level: level or 127)
    patch = cut_out(image, mask, 64)
    assert patch is not None
    brighter = Image.fromarray((np.asarray(patch.image) * 0.8 + 20).astype(np.uint8))
    result = np.asarray(put_back(image, mask, patch, brighter))
    inside = np.asarray(mask) > 127
    assert np.array_equal(result[~inside], np.asarray(image)[~inside])
    assert not np.array_equal(result[inside], np.asarray(image)[inside])
    flat = Image.new("RGB", (64, 64), (100, 100, 100))
    part = painted(flat.size, (20, 20, 40, 40))
    shifted = InpaintedPatch((0, 0, 64, 64), flat, part)
    assert put_back(flat, part, shifted, Image.new("RGB", (64, 64), (90, 104, 99))).tobytes() == flat.tobytes()
    assert cut_out(image, Image.new("L", image.size, 127), 64) is None


def test_a_region_downscaled_below_one_pixel_is_inpainted() -> None:
    patch = cut_out(noise(800, 800), painted((800, 800), (0, 0, 799, 9), (400, 400, 400, 400)), 64)
    assert patch is not None
    assert patch.image.size == (96, 96)
    assert patch.mask.getpixel((48, 48)) == 255
