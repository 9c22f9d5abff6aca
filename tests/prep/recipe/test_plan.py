"""Plans: results of each image, their sizes, crop boxes, captions and names."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.recipe.plan import make_plan
from tests.data.conftest import ImageFolder
from tests.prep.recipe.preparation import by_name, edit, settings


def test_the_plan_lists_results_of_each_image_and_writes_nothing(images: ImageFolder) -> None:
    images.draw("10.png", (200, 100))
    images.draw("9.jpg", (32, 32))
    (images.path / "broken.png").write_bytes(b"x")
    config = settings(images)
    plan = make_plan(config)
    assert not Path(config.output).exists()
    assert [one.describe() for one in plan.results] == [
        "9.jpg → image_001.png: 64×64, upscaled 2 times by Lanczos",
        "10.png → image_002.png: 64×64, cropped by saliency",
    ]
    assert plan.describe() == (
        "2 results of 2 images: 2 new.",
        "Sizes: 64×64 (2).",
        "Upscaled by Lanczos: 1 result: 9.jpg (2 times).",
        "1 file cannot be used.",
    )
    assert [(one.path.name, one.reason) for one in plan.skipped] == [
        ("broken.png", "it is not an image of a known kind")
    ]


@pytest.mark.parametrize(
    ("values", "size", "factor", "upscaler"),
    [
        ({}, (64, 64), 0.64, ""),
        ({"downscale": False}, (100, 100), 1.0, ""),
        ({"shape": "buckets"}, (88, 40), 0.44, ""),
        ({"shape": "buckets", "downscale": False}, (200, 91), 1.0, ""),
        ({"shape": "keep"}, (128, 64), 0.64, ""),
        ({"shape": "keep", "downscale": False}, (200, 100), 1.0, ""),
        ({"width": 128, "height": 256}, (128, 256), 2.56, "Lanczos"),
        ({"width": 128, "height": 256, "upscaler": "none"}, (50, 100), 1.0, ""),
        ({"width": 128, "height": 256, "upscaler": "Nearest"}, (128, 256), 2.56, "Nearest"),
        ({"shape": "keep", "width": 128, "height": 128}, (256, 128), 1.28, "Lanczos"),
    ],
)
def test_sizes_follow_shape_and_scaling(
    images: ImageFolder, values: dict, size: tuple[int, int], factor: float, upscaler: str
) -> None:
    images.draw("a.png", (200, 100))
    [one] = make_plan(settings(images, **values), ["Nearest"]).results
    assert one.spec.size == size
    assert one.spec.factor == pytest.approx(factor)
    assert one.spec.upscaler == upscaler


def test_crop_boxes_by_hand_make_several_results_of_the_right_shape(images: ImageFolder) -> None:
    images.draw("a.png", (400, 200))
    plan = make_plan(settings(images))
    edit(plan, "a.png", crop_boxes=(CropBox(0, 0, 0.5, 1), CropBox(0.5, 0.0, 0.25, 1.0)))
    first, second = make_plan(settings(images)).results
    assert (first.spec.crop_size, second.spec.crop_size) == ((200, 200), (100, 100))
    assert second.spec.crop_box == CropBox(0.5, 0.25, 0.25, 0.5)
    assert {first.spec.how, second.spec.how} == {"by hand"}
    kept = make_plan(settings(images, shape="keep")).results[1].spec
    assert (kept.crop_box, kept.size) == (CropBox(0.5, 0.0, 0.25, 1.0), (64, 128))


def test_long_images_are_split_unless_cropped_by_hand(images: ImageFolder) -> None:
    images.draw("long.png", (300, 100))
    images.draw("short.png", (150, 100))
    config = settings(images, split=True)
    plan = make_plan(config)
    assert by_name(plan) == {
        "image_001.png": "long.png 0.00",
        "image_002.png": "long.png 0.22",
        "image_003.png": "long.png 0.44",
        "image_004.png": "long.png 0.67",
        "image_005.png": "short.png",
    }
    edit(plan, "long.png", crop_boxes=(CropBox(0.1, 0, 0.3, 0.9),))
    assert [one.spec.how for one in make_plan(config).results] == ["by hand", "by saliency"]


def test_flipped_copies_have_their_own_captions(images: ImageFolder) -> None:
    images.draw("a.png", caption="a cat on the left")
    plain = make_plan(settings(images, flip=True))
    assert by_name(plain) == {"image_001.png": "a.png", "image_002.png": "~a.png"}
    assert [one.spec.caption for one in plain.results] == ["a cat on the left"] * 2
    swapped = make_plan(settings(images, flip=True, flip_words=True))
    assert [one.spec.caption for one in swapped.results] == ["a cat on the left", "a cat on the right"]


def test_file_names_are_captions_unless_that_is_off(images: ImageFolder) -> None:
    images.draw("1 a house.png")
    images.draw("2.png", caption="a boat")
    plan = make_plan(settings(images))
    assert [one.spec.caption for one in plan.results] == ["a house", "a boat"]
    message = "1 result with the file name as caption, such as “a house”: write better captions after preparing."
    assert message in plan.describe()
    plan = make_plan(settings(images, name_captions=False))
    assert [one.spec.caption for one in plan.results] == ["", "a boat"]


def test_images_excluded_by_hand_have_no_result(images: ImageFolder) -> None:
    images.draw("a.png")
    images.draw("b.png")
    edit(make_plan(settings(images)), "a.png", excluded=True)
    plan = make_plan(settings(images))
    assert by_name(plan) == {"image_001.png": "b.png"}
    assert "Excluded by hand: a.png." in plan.describe()
