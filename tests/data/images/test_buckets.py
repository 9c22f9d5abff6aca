from __future__ import annotations

import pytest

from lib_ti.data.images.buckets import bucket_for, bucket_step, buckets

SIZES = [(512, 512), (768, 768), (512, 768), (640, 448), (256, 256), (128, 128), (64, 64), (72, 72), (520, 520)]


@pytest.mark.parametrize("size", SIZES)
def test_buckets_have_no_more_area_and_sane_sides(size: tuple[int, int]) -> None:
    area = size[0] * size[1]
    found = buckets(*size)
    assert size in found
    assert len(found) >= 7
    for width, height in found:
        assert width * height <= area
        assert width % 8 == height % 8 == 0
        assert area**0.5 / 2 <= min(width, height)
        assert max(width, height) <= area**0.5 * 2
        assert width * height > area * 0.7


def test_the_step_is_64_at_512_and_shrinks_with_the_training_size() -> None:
    steps = [bucket_step(side, side) for side in (1024, 512, 384, 256, 128, 64, 32)]
    assert steps == [64, 64, 48, 32, 16, 8, 8]
    assert all(width % 64 == height % 64 == 0 for width, height in buckets(512, 512))


@pytest.mark.parametrize(
    ("image", "bucket"),
    [
        ((1000, 1000), (512, 512)),
        ((10, 10), (512, 512)),
        ((1920, 1080), (640, 384)),
        ((1080, 1920), (384, 640)),
        ((4032, 3024), (576, 448)),
        ((10000, 100), (1024, 256)),
        ((100, 10000), (256, 1024)),
    ],
)
def test_an_image_goes_to_the_bucket_of_its_shape(image: tuple[int, int], bucket: tuple[int, int]) -> None:
    assert bucket_for(*image, area_width=512, area_height=512) == bucket


@pytest.mark.parametrize("size", SIZES)
def test_the_bucket_chosen_keeps_the_most_of_the_image(size: tuple[int, int]) -> None:
    def kept(image: tuple[int, int], bucket: tuple[int, int]) -> float:
        one, other = image[0] / image[1], bucket[0] / bucket[1]
        return min(one / other, other / one)

    for image in [(300, 300), (1600, 900), (900, 1600), (1000, 707), (2000, 900), (311, 977)]:
        chosen = bucket_for(*image, area_width=size[0], area_height=size[1])
        assert kept(image, chosen) == pytest.approx(max(kept(image, one) for one in buckets(*size)))
        assert kept(image, chosen) > 0.8


def test_a_step_can_be_given() -> None:
    assert all(width % 128 == 0 for width, _ in buckets(512, 512, 128))
