"""The drawn world: deterministic images and captions, and nothing held out slips into training."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_ti.pocket import world
from lib_ti.pocket.captions import caption
from lib_ti.pocket.sample_set import sample_set
from lib_ti.pocket.world import Spec, draw, held_out_specs, training_specs


def test_images_and_captions_are_deterministic() -> None:
    for spec in training_specs(40, seed=5):
        assert draw(spec).tobytes() == draw(replace(spec)).tobytes()
        assert caption(spec, 3) == caption(spec, 3)
    assert [*training_specs(5, seed=1)] == [*training_specs(5, seed=1)]


def test_every_attribute_changes_the_image() -> None:
    base = Spec("circle", "red", "white")
    for other in (
        replace(base, shape="square"),
        replace(base, colour="blue"),
        replace(base, background="pink"),
        replace(base, size="small"),
        replace(base, position="left"),
        *(replace(base, style=style) for style in world.STYLES if style != "flat"),
    ):
        difference = np.abs(np.asarray(draw(base), dtype=int) - np.asarray(draw(other), dtype=int)).sum(-1)
        assert (difference > 60).mean() > 0.03, other


def test_all_styles_look_different_from_each_other() -> None:
    images = {s: np.asarray(draw(Spec("square", "green", "grey", style=s)), dtype=int) for s in world.STYLES}
    for a in world.STYLES:
        for b in world.STYLES:
            if a < b:
                assert (np.abs(images[a] - images[b]).sum(-1) > 60).mean() > 0.03, (a, b)


def test_colours_keep_their_area() -> None:
    spec = Spec("square", "red", "white", "big", "centre")
    pixels = np.asarray(draw(spec))
    assert tuple(pixels[32, 32]) == world.COLOURS["red"]
    assert tuple(pixels[1, 1]) == world.BACKGROUNDS["white"]


def test_training_specs_have_no_held_out_tuple_and_no_wordless_style() -> None:
    seen = list(training_specs(4000, seed=1, combined=0.5))
    assert not any(spec.held_out for spec in seen)
    assert not {spec.style for spec in seen} & set(world.WORDLESS_STYLES)
    assert {spec.style for spec in seen} == {*world.WORDED_STYLES, *world.COMBINED_STYLES}
    kept = held_out_specs(100)
    assert len(kept) == 100
    assert all(spec.held_out for spec in kept)


def test_a_tenth_of_all_tuples_is_held_out() -> None:
    rng = random.Random(0)
    share = np.mean([world.random_spec(rng, "striped").held_out for _ in range(3000)])
    assert 0.07 < share < 0.13


def test_an_unknown_attribute_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'hexagon' is not one of circle"):
        Spec("hexagon", "red", "white")


def test_captions_name_the_attributes() -> None:
    spec = Spec("star", "purple", "grey", "small", "left", "striped")
    for seed in range(60):
        text = caption(spec, seed, complete=True)
        assert all(word in text for word in ("star", "purple", "grey background", "small", "left", "striped"))
    captions = [caption(spec, seed) for seed in range(2000)]
    assert 0.07 < captions.count("") / 2000 < 0.13
    assert 0.60 < np.mean(["striped" in text for text in captions]) < 0.85
    assert any("art by striped" in text for text in captions)
    assert max(len(text.split()) for text in captions) < 30


@pytest.mark.parametrize("style", ["striped", "framed", *world.WORDLESS_STYLES])
def test_a_sample_set_shows_the_style_and_never_names_it(style: str, tmp_path: Path) -> None:
    paths = sample_set(tmp_path / "set", style, count=12, seed=4)
    assert len(paths) == 12
    for path in paths:
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("RGB", (64, 64))
        text = path.with_suffix(".txt").read_text(encoding="utf-8")
        assert text.strip()
        assert not set(text.replace(",", " ").split()) & {*world.WORDED_STYLES}
