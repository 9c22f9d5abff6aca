"""The previews of a run."""

from __future__ import annotations

from typing import Any

from PIL import Image

from lib_ti.host.model import ImageRequest
from lib_ti.signals import (
    PreviewFailed,
    PreviewMade,
)
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.files.run_logger import describe_event
from tests.training.conftest import Studio, vectors


def test_a_failing_preview_never_ends_the_run(studio: Studio) -> None:
    studio.host.model.previews_fail = True
    assert studio.train().reason == "done"
    assert "not enough graphics memory for the preview: make it smaller" in studio.of(PreviewFailed)[0].reason


def test_previews_take_the_captions_in_turn_with_one_seed(studio: Studio) -> None:
    studio.train()
    made = studio.of(PreviewMade)
    assert len({event.prompt for event in made}) == 3
    assert {event.seed for event in made} == {7}
    studio.train(max_steps=40, preview_prompt="a house, [name]")
    assert {event.prompt for event in studio.of(PreviewMade)} == {"a house, my-style"}


def test_each_line_of_the_preview_prompt_is_a_preview_of_every_step(studio: Studio) -> None:
    folder = studio.train(preview_prompt="a house, [name]\n\n  a cat by [name]\n").folder
    made = studio.of(PreviewMade)
    expected = [(step, prompt) for step in (0, 10, 20) for prompt in ("a house, my-style", "a cat by my-style")]
    assert [(event.step, event.prompt) for event in made] == expected
    assert {event.seed for event in made} == {7}
    images = {path.name for path in (folder / "images").iterdir()}
    assert images == {f"my-style-{step}{mark}.png" for step in (0, 10, 20) for mark in ("", "-prompt-2")}
    assert {path.name for path in (folder / "image_embeddings").iterdir()} == {
        f"my-style-{step}.png" for step in (0, 10, 20)
    }
    run = RunFolder(folder, "my-style")
    assert [step for step, _ in run.previews()] == [0, 10, 20]
    assert {step: list(row) for step, row in run.preview_grid().items()} == {0: [1, 2], 10: [1, 2], 20: [1, 2]}
    shown = studio.embedding_file.with_name("my-style.preview.png").read_bytes()
    assert shown in [path.read_bytes() for _, path in run.previews()]


def test_several_preview_prompts_do_not_change_the_training(studio: Studio, another: Studio) -> None:
    studio.train(preview_prompt="[name]\na house, [name]")
    another.train(max_steps=10, preview_prompt="[name]\na house, [name]\na cat")
    another.train(preview_prompt="")
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))


def test_a_preview_that_fails_does_not_keep_the_others_back(studio: Studio) -> None:
    generate = studio.host.model.generate

    def some(request: ImageRequest, *rest: Any) -> Image.Image:
        if "cat" in request.prompt:
            raise RuntimeError("out of memory")
        return generate(request, *rest)

    studio.host.model.generate = some  # type: ignore[method-assign]
    studio.train(max_steps=5, preview_prompt="a cat\na house, [name]")
    assert [event.number for event in studio.of(PreviewMade)] == [2, 2]
    failed = studio.of(PreviewFailed)[0]
    assert "Preview 1 of 2 after step 0 could not be generated" in str(describe_event(failed))


def test_a_preview_carries_its_parameters(studio: Studio) -> None:
    folder = studio.train().folder
    with Image.open(folder / "images" / "my-style-10.png") as picture:
        assert "Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 32x32" in picture.text["parameters"]


def test_the_card_shows_the_preview_of_the_best_step(studio: Studio) -> None:
    finished = studio.train(save_image_every=5, learning_rate="5")
    assert finished.best_step == 0  # the first measurement; the picture before training is no one's card
    shown = studio.embedding_file.with_name("my-style.preview.png")
    assert shown.read_bytes() == (finished.folder / "images" / "my-style-5.png").read_bytes()
