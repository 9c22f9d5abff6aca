from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image

from lib_ti.prep.crop_box import WHOLE, CropBox
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.recipe.crop import crop, flip, shaped, split_boxes, swap_left_right


def positions(width: int, height: int) -> LayeredImage:
    """Each pixel of image, transparency and mask says where it was."""
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    levels = np.stack([across, down, across + down], axis=2).astype(np.uint8)
    return LayeredImage(
        Image.fromarray(levels), Image.fromarray(levels[..., 0]), Image.fromarray(levels[..., 1]), "on the left"
    )


def aligned(piece: LayeredImage) -> bool:
    levels = np.asarray(piece.image)
    assert piece.alpha is not None and piece.mask is not None
    return bool((levels[..., 0] == piece.alpha).all() and (levels[..., 1] == piece.mask).all())


def test_a_crop_shows_its_box_and_keeps_everything_aligned() -> None:
    cut = crop(positions(100, 80), CropBox(0.1, 0.5, 0.3, 0.25), "by hand")
    levels = np.asarray(cut.image)
    assert cut.image.size == (30, 20)
    assert tuple(levels[0, 0][:2]) == (10, 40)
    assert tuple(levels[-1, -1][:2]) == (39, 59)
    assert aligned(cut)
    assert cut.record == ({"operation": "crop", "crop_box": [0.1, 0.5, 0.3, 0.25], "how": "by hand"},)


def test_the_whole_image_is_no_crop() -> None:
    piece = positions(10, 10)
    assert crop(piece, WHOLE, "by hand") is piece


@pytest.mark.parametrize("size", [(1, 1), (3, 1000), (1000, 3), (997, 641)])
def test_crop_boxes_at_the_edges_stay_within_and_hold_a_pixel(size: tuple[int, int]) -> None:
    for x, width in itertools.product((0.0, 0.0004, 0.5, 0.9995, 0.9999999), (1e-7, 0.0005, 1.0)):
        if x + width > 1:
            continue
        left, top, right, bottom = CropBox(x, x, width, width).pixels(size)
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]


@pytest.mark.parametrize("shares", [(-0.1, 0, 1, 1), (0, 0, 0, 1), (0.5, 0, 0.6, 1), (0, 0, 1, 1.1), (0, 0, -1, 1)])
def test_boxes_beyond_the_image_are_none(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="not within"):
        CropBox(*shares)


@pytest.mark.parametrize("shape", [(1, 1), (512, 768), (768, 512), (4, 1)])
@pytest.mark.parametrize("image", [(4000, 3000), (300, 4000), (512, 512)])
def test_a_shaped_box_is_the_largest_of_its_shape_in_the_middle(image: tuple[int, int], shape: tuple[int, int]) -> None:
    outer = CropBox(0.25, 0.125, 0.5, 0.75)
    inner = shaped(outer, image, shape)
    assert inner.width * image[0] / (inner.height * image[1]) == pytest.approx(shape[0] / shape[1])
    assert inner.width == pytest.approx(outer.width) or inner.height == pytest.approx(outer.height)
    assert inner.x + inner.width / 2 == pytest.approx(0.5)
    assert inner.y + inner.height / 2 == pytest.approx(0.5)
    assert inner.overlap(outer) == pytest.approx(inner.width * inner.height / (outer.width * outer.height))


def test_overlap_is_a_share_of_both() -> None:
    left, middle = CropBox(0, 0, 0.5, 1), CropBox(0.25, 0, 0.5, 1)
    assert left.overlap(left) == 1
    assert left.overlap(middle) == middle.overlap(left) == pytest.approx(1 / 3)
    assert left.overlap(CropBox(0.5, 0, 0.5, 1)) == 0


@pytest.mark.parametrize(
    ("image", "count"),
    # By the WebUI's formula: ceil((length - part * 0.2) / (part * 0.8)), part being the shorter side here.
    [((1000, 3000), 4), ((3000, 1000), 4), ((1000, 2000), 3), ((1000, 1999), 0), ((1000, 10000), 13), ((512, 512), 0)],
)
def test_long_images_are_split_as_the_webui_splits_them(image: tuple[int, int], count: int) -> None:
    parts = split_boxes(image, (512, 512), threshold=0.5, overlap=0.2)
    assert len(parts) == count
    for part in parts:
        assert part.size(image) == (1000, 1000)
    if parts:
        lengths = [(part.x, part.width) if image[0] > image[1] else (part.y, part.height) for part in parts]
        assert lengths[0][0] == 0
        assert sum(lengths[-1]) == pytest.approx(1)
        for (first, length), (second, _) in itertools.pairwise(lengths):
            assert first + length - second >= 0.2 * length - 1e-9


def test_an_image_of_the_training_shape_is_never_split() -> None:
    assert split_boxes((768, 512), (768, 512), threshold=1.0, overlap=0.5) == ()
    assert len(split_boxes((769, 512), (512, 512), threshold=1.0, overlap=0.0)) == 2


def test_flipping_keeps_everything_aligned() -> None:
    flipped = flip(positions(40, 30))
    assert np.asarray(flipped.image)[0, :, 0].tolist() == list(range(39, -1, -1))
    assert aligned(flipped)
    assert flipped.record == ({"operation": "flip"},)


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("a cat on the left, a dog on the right", "a cat on the right, a dog on the left"),
        ("Left hand; RIGHT eye; left-handed; leftmost", "Right hand; LEFT eye; right-handed; rightmost"),
        ("bright light, upright, copyright, lefty, the rights", "bright light, upright, copyright, lefty, the rights"),
        ("rightwards, leftward", "leftwards, rightward"),
        ("", ""),
    ],
)
def test_left_and_right_are_swapped_as_words(text: str, swapped: str) -> None:
    assert swap_left_right(text) == swapped
    assert swap_left_right(swapped) == text
