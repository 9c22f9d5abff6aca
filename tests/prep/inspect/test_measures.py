from __future__ import annotations

import io
import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from lib_ti.config import InspectConfig
from lib_ti.prep.inspect.issues import issues_of
from lib_ti.prep.inspect.measures import Measures, at_downscaling, measure, quality_of
from lib_ti.prep.inspect.tiles import SIDE, select_tiles
from tests.prep.conftest import kinds, look_at
from tests.prep.photographs import NAMES, SPOILT, blur, brightness, contrast, noise, photograph, resave, resize

SOME = ("chelsea", "rocket", "gravel")
"""Fur out of focus, a night scene, a texture; the benchmark takes all photographs."""
GOOD = tuple(name for name in NAMES if name not in ("china", "hubble", "moon"))
"""Half of the deep field is nearly black, and the moon was saved as JPEG with visible blocks. The carved eaves of the
Chinese tower are mistaken for text, which is wrong, and counted as such by the benchmark."""


@pytest.mark.parametrize("name", GOOD)
def test_a_good_photograph_gets_no_badge(name: str) -> None:
    assert kinds(photograph(name)) == set()


def test_the_two_faulty_samples_are_seen_for_what_they_are() -> None:
    assert kinds(photograph("hubble")) == {"dark"}
    assert kinds(photograph("moon")) == {"jpeg_blocks"}


@pytest.mark.parametrize("fault", [fault for fault in SPOILT if fault != "text"])
def test_spoilt_photographs_are_flagged_for_what_was_done(fault: str) -> None:
    changes, wanted = SPOILT[fault]
    missed = [
        f"{name}, {how}"
        for name in SOME
        for how, change in changes.items()
        if not kinds(change(photograph(name))) & wanted
    ]
    assert len(missed) <= 1, missed


def test_thresholds_decide() -> None:
    blurred, grainy = blur(2)(photograph("camera")), noise(20)(photograph("camera"))
    assert kinds(blurred, InspectConfig(blurry=0)) == set()
    assert kinds(grainy, InspectConfig(noise=50)) == set()
    assert "noise" in kinds(photograph("grass"), InspectConfig(noise=3))
    assert kinds(brightness(0.25)(photograph("camera")), InspectConfig(dark=0, contrast=0)) == set()
    assert kinds(contrast(0.2)(photograph("camera")), InspectConfig(contrast=10)) == set()


def test_sharpness_hardly_depends_on_size_or_content() -> None:
    half = Image.Resampling.BOX
    for name in SOME:
        sharp, small = look_at(photograph(name)), look_at(resize(0.5, half)(photograph(name)))
        assert sharp.measures.structure.sharpness[1] == pytest.approx(small.measures.structure.sharpness[0], rel=0.25)
        for sigma in (2.0, 3.0):
            blurred = look_at(blur(sigma)(photograph(name))).measures.structure.sharpness[0]
            assert 0.25 < blurred < 0.42


def test_an_image_is_judged_as_it_is_trained() -> None:
    large = resize(3)(photograph("camera"))
    assert kinds(large) == {"soft"}
    assert "blurry" in kinds(large, InspectConfig(width=1536, height=1536))
    pixels = np.kron(np.asarray(photograph("camera")), np.ones((3, 3, 1), np.uint8))
    grainy = noise(20)(Image.fromarray(pixels))
    assert "noise" not in kinds(grainy)
    assert "noise" in kinds(grainy, InspectConfig(width=1536, height=1536))


def test_a_small_image_states_its_upscaling_factor() -> None:
    (issue,) = issues_of(look_at(photograph("chelsea")), InspectConfig())
    assert (issue.kind, issue.label, issue.advice) == ("small", "small, 1.7×", "fix")
    assert "451 × 300" in issue.text
    assert "1.71 times for 512 × 512" in issue.text
    assert issues_of(look_at(photograph("chelsea")), InspectConfig(small=2)) == ()


def test_a_thing_on_a_white_ground_is_not_too_bright() -> None:
    ground = Image.new("RGB", (600, 600), "white")
    ground.paste(photograph("coffee").resize((220, 147)), (190, 220))
    assert kinds(ground) == set()


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (40, 40), (63, 64), (65, 200), (8, 5)])
def test_images_of_any_size_are_measured(size: tuple[int, int]) -> None:
    measures, levels = measure(photograph("coffee").resize(size))
    assert len(levels) == 32 * 32
    assert all(np.isfinite([*measures.structure.sharpness, *measures.structure.noise, measures.structure.blocks]))


@pytest.mark.parametrize("colour", ["white", "black", (120, 130, 140)])
def test_an_even_image_has_nothing_sharp(colour: str | tuple[int, ...]) -> None:
    assert "blurry" in kinds(Image.new("RGB", (512, 512), colour))


def test_of_large_images_the_sharpest_and_the_calmest_tiles_are_kept() -> None:
    large = Image.new("RGB", (1600, 1200), "gray")
    large.paste(photograph("gravel"), (500, 500))
    tiles = select_tiles(large)
    assert tiles.shape[1:] == (SIDE, SIDE, 3)
    spread = Counter(bool(tile.std() > 5) for tile in tiles)
    assert len(tiles) < (1600 // SIDE) * (1200 // SIDE)
    assert spread[True] >= 50
    assert spread[False] >= 30
    assert kinds(large, InspectConfig(contrast=0)) == set()
    assert "soft" in kinds(blur(2)(large))


def test_a_tile_of_a_small_image_lies_on_the_grid() -> None:
    image = photograph("coffee")
    tiles = select_tiles(image)
    assert len(tiles) == (600 // SIDE) * (400 // SIDE)
    assert np.array_equal(tiles[10], np.asarray(image.crop((SIDE, SIDE, 2 * SIDE, 2 * SIDE))))


@pytest.mark.parametrize("quality", [20, 30, 50, 75, 90, 95])
def test_the_quality_of_a_jpeg_is_read_from_its_tables(quality: int) -> None:
    file = io.BytesIO()
    photograph("coffee").save(file, "JPEG", quality=quality)
    assert quality_of(Image.open(file).quantization) == pytest.approx(quality, abs=1)


def test_a_poorly_saved_file_is_flagged_even_where_no_blocks_are_seen() -> None:
    image = resave(50)(photograph("grass"))
    assert kinds(image) == set()
    assert kinds(image, jpeg_quality=20) == {"jpeg_blocks"}
    assert kinds(image, InspectConfig(blocks=255), jpeg_quality=20) == set()


def test_figures_between_halvings_are_interpolated() -> None:
    assert at_downscaling((1.0, 0.5, 0.2), 1) == 1.0
    assert at_downscaling((1.0, 0.5, 0.2), 2**0.5) == pytest.approx(0.75)
    assert at_downscaling((1.0, 0.5, 0.2), 100) == 0.2
    assert at_downscaling((1.0, 0.5, 0.2), 0.3) == 1.0


def test_measures_survive_a_file() -> None:
    measures, _ = measure(photograph("coffee"), jpeg_quality=80)
    assert Measures.from_mapping(json.loads(json.dumps(measures.as_mapping()))) == measures
