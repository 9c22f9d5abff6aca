from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from lib_ti.prep.inspect.duplicates import SIDE, Fingerprint, SimilarPair, find_near_duplicates, groups
from tests.prep import photographs
from tests.prep.photographs import brightness, contrast, crop, curve, photograph, resave, resize, then

AT_LEAST = 0.88
COPIES = {
    "smaller": resize(0.4),
    "larger": resize(1.7),
    "saved again": resave(15),
    "cropped": crop(0.08, 0.0, 0.03, 0.07),
    "cropped evenly": crop(0.07, 0.07, 0.07, 0.07),
    "lighter": brightness(1.25),
    "darker": curve(60),
    "less contrast": contrast(0.5),
    "all of it": then(crop(0.05, 0.02, 0.0, 0.04), resize(0.5), brightness(0.8), resave(40)),
}


def fingerprint(image: Image.Image) -> Fingerprint:
    grey = cv2.resize(np.asarray(image.convert("L")), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return Fingerprint(grey.tobytes(), image.size)


def alike(*images: Image.Image, at_least: float = AT_LEAST) -> list[SimilarPair]:
    return find_near_duplicates([fingerprint(image) for image in images], at_least=at_least)


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("name", ["chelsea", "grass", "motorcycle", "flower"])
def test_a_changed_copy_is_found(name: str, copy: str) -> None:
    original = photograph(name)
    (pair,) = alike(photograph("coffee"), COPIES[copy](original), photograph("camera"), original)
    assert (pair.first, pair.second, pair.mirrored) == (1, 3, False)


def test_different_parts_of_the_same_photographs_are_no_duplicates() -> None:
    parts = list(photographs.parts())
    assert len(parts) == 144
    assert [pair for pair in alike(*parts) if not pair.mirrored] == []


def test_a_mirrored_copy_is_distinguished_from_a_plain_one() -> None:
    original = photograph("astronaut")
    mirrored = COPIES["all of it"](ImageOps.mirror(original))
    (pair,) = alike(original, mirrored)
    assert pair.mirrored
    # What is its own mirror image is simply alike.
    both = Image.new("RGB", (1024, 512))
    both.paste(original, (0, 0))
    both.paste(ImageOps.mirror(original), (512, 0))
    (pair,) = alike(both, ImageOps.mirror(both))
    assert not pair.mirrored


def test_other_proportions_are_another_image() -> None:
    original = photograph("astronaut")
    assert alike(original, original.resize((512, 300))) == []


def test_uniform_images_are_not_duplicates() -> None:
    sheets = [Image.new("RGB", (64, 64), colour) for colour in ("white", "black", "red", "white")]
    assert alike(*sheets) == []
    assert alike() == alike(sheets[0]) == []


def test_similarity_grows_to_one_and_respects_the_threshold() -> None:
    original = photograph("coffee")
    (equal,) = alike(original, original.copy())
    assert equal.similarity == pytest.approx(1, abs=1e-4)
    cropped = crop(0.08, 0.08, 0, 0)(original)
    (near,) = alike(original, cropped)
    assert AT_LEAST <= near.similarity < 0.999
    assert alike(original, cropped, at_least=near.similarity + 0.001) == []


def test_blocks_of_the_comparison_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [fingerprint(part) for part in photographs.parts()][:40]
    images += images[10:15]
    whole = find_near_duplicates(images, at_least=AT_LEAST)
    assert {(pair.first, pair.second) for pair in whole} == {(10 + k, 40 + k) for k in range(5)}
    monkeypatch.setattr("lib_ti.prep.inspect.duplicates._BLOCK", 7)
    assert find_near_duplicates(images, at_least=AT_LEAST) == whole


def test_many_equal_images_take_no_longer_than_others() -> None:
    images = [fingerprint(photograph("chelsea"))] * 500
    pairs = find_near_duplicates(images, at_least=AT_LEAST)
    assert len(pairs) < 64 * 500
    assert groups(500, pairs) == [list(range(500))]


def test_groups_are_what_hangs_together() -> None:
    pairs = [SimilarPair(first, second, 1.0, mirrored=False) for first, second in ((1, 4), (2, 6), (4, 5), (0, 6))]
    assert groups(8, pairs) == [[0, 2, 6], [1, 4, 5]]
    assert groups(3, []) == []


@pytest.mark.slow
def test_ten_thousand_are_grouped_in_seconds() -> None:
    rng = np.random.default_rng(0)
    wholes = [np.asarray(image.convert("L")) for image in photographs.whole_photographs()]
    images = []
    while len(images) < 10_000:
        whole = wholes[rng.integers(len(wholes))]
        size = int(min(whole.shape) * rng.uniform(0.1, 0.5))
        top, left = (int(rng.integers(0, length - size)) for length in whole.shape)
        part = np.ascontiguousarray(whole[top : top + size, left : left + size])
        images.append(Fingerprint(cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA).tobytes(), (1, 1)))
    before = time.process_time()
    find_near_duplicates(images, at_least=AT_LEAST)
    assert time.process_time() - before < 20  # twice what is promised: machines differ
