"""Fewer vectors after training: what each number of them is worth, and the shorter embedding's way from there."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from lib_ti.config import CreateConfig
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, Stopped
from lib_ti.signals import Control, Event, LogMessage, Progress
from lib_ti.training.create import create
from lib_ti.training.cut.compare import VectorComparison, compare
from lib_ti.training.cut.keep import cut, keep_vectors
from lib_ti.training.cut.losses import CountLoss, VectorLosses, numbers_to_measure
from lib_ti.training.files.run_folder import RunFolder, find_runs
from lib_ti.training.validation.history import read_history
from tests.fakes import FakeModel
from tests.training.conftest import Studio

NAME = "my-style"


@pytest.fixture
def trained(studio: Studio) -> Studio:
    """A finished run of an embedding of 4 vectors."""
    create(studio.host, CreateConfig(name=NAME, text="style", vectors=4, overwrite=True))
    studio.train(learning_rate="0.05", restore_best=False)
    return studio


def embedding(studio: Studio) -> Embedding:
    return files.load(studio.embedding_file)


def run(studio: Studio) -> RunFolder:
    return find_runs(studio.logs, NAME)[0]


def compared(studio: Studio, prompt: str = "") -> VectorComparison:
    events: list[Event] = []
    return compare(studio.host, run(studio), embedding(studio), prompt, events.append, Control())


def test_losses_are_of_the_runs_validation_images(trained: Studio) -> None:
    """Of more samples than its checks had, as a difference of a few percent decides."""
    found = compared(trained)
    last = read_history(run(trained).evaluations)[-1]
    assert last.no_keyword is not None
    assert [row.count for row in found.losses.rows] == [1, 2, 3, 4]
    assert found.losses.rows[-1].loss == pytest.approx(last.loss, rel=0.2)
    assert found.losses.no_keyword == pytest.approx(last.no_keyword, rel=0.2)
    assert (found.losses.unseen, found.notes, found.sheet) == (True, (), None)
    assert found.losses.rows[-1].error == 0 and found.losses.rows[-1].kept == pytest.approx(1)


def test_an_image_with_each_number_of_vectors_is_in_the_runs_folder(trained: Studio) -> None:
    trained.host.model.requests.clear()
    found = compared(trained, "a house, [name]")
    assert [request.prompt for request, _ in trained.host.model.requests] == ["a house, my-style"] * 4
    assert found.sheet is not None and found.sheet.parent == run(trained).path
    assert compared(trained, "a house, [name]").sheet != found.sheet, "nothing is replaced"


def test_changed_images_and_another_model_are_said(trained: Studio) -> None:
    (trained.pictures / "00.txt").write_text("something else")
    trained.host.models.model = FakeModel(name="other", model_hash="9876543210")
    changed, other = compared(trained).notes
    assert "images, captions or sizes have changed since the run" in changed
    assert other == "The run was on fake [0123456789], and this is other [9876543210]."


def test_losses_on_training_images_are_said_to_be(studio: Studio) -> None:
    studio.train(validation_split=0.0)
    assert compared(studio).notes == (
        "The run had no validation images: the losses are of images that it was trained on.",
    )


def test_a_missing_dataset_is_named(trained: Studio) -> None:
    shutil.rmtree(trained.pictures)
    with pytest.raises(BadInput, match="whose Dataset directory .*pictures"):
        compared(trained)


def test_a_stop_writes_nothing(trained: Studio) -> None:
    control, before = Control(), set(run(trained).path.iterdir())

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "Computing losses" and event.done == 2:
            control.stop()

    with pytest.raises(Stopped, match="was stopped; no file was written"):
        compare(trained.host, run(trained), embedding(trained), "a house", stop, control)
    assert set(run(trained).path.iterdir()) == before


def test_a_single_vector_cannot_be_cut(trained: Studio) -> None:
    single = replace(embedding(trained), vectors={"clip_l": embedding(trained).vectors["clip_l"][:1]})
    with pytest.raises(BadInput, match="has 1 vector: there is nothing to cut"):
        compare(trained.host, run(trained), single, "", lambda event: None, Control())
    with pytest.raises(BadInput, match="has 1 vector: there is nothing to cut"):
        cut(single, 1)


@pytest.mark.parametrize("count", [0, -1, 4, 5])
def test_impossible_numbers_are_refused(trained: Studio, count: int) -> None:
    with pytest.raises(BadInput, match=f"keep is {count}, and 'my-style' has 4: give a number from 1 to 3"):
        keep_vectors(trained.host, embedding(trained), count)
    assert embedding(trained).count == 4


def test_the_longer_embedding_is_kept_aside_and_the_recipe_tells(trained: Studio) -> None:
    whole, before = embedding(trained), trained.embedding_file.read_bytes()
    placed = keep_vectors(trained.host, whole, 3)
    shorter = embedding(trained)
    assert shorter.vectors["clip_l"].equal(whole.vectors["clip_l"][:3])
    assert shorter.recipe["cut"] == "the first 3 of 4 vectors, after step 20"
    assert (shorter.step, shorter.model_hash) == (20, whole.model_hash)
    (kept,) = placed.replaced
    assert kept.read_bytes() == before and ".replaced-" in kept.name
    assert trained.host.models.saved[-1] == trained.embedding_file


def test_training_the_shorter_one_begins_a_new_run(trained: Studio) -> None:
    first = run(trained)
    state = first.state.read_bytes()
    start = embedding(trained).recipe["initial_norms"]["clip_l"]
    keep_vectors(trained.host, embedding(trained), 2)
    trained.train(max_steps=25)
    assert "There is no state of the first 20 steps: a new run begins" in "\n".join(
        event.text for event in trained.of(LogMessage)
    )
    assert run(trained).path != first.path and first.state.read_bytes() == state
    assert embedding(trained).count == 2
    assert embedding(trained).recipe["initial_norms"]["clip_l"] == start[:2]


def row(count: int, kept: float | None) -> CountLoss:
    return CountLoss(count, 0.1, 0.01, kept)


@pytest.mark.parametrize(
    ("kept", "enough", "words"),
    [
        ((0.5, 0.98, 1.0), 2, "The first 2 vectors keep 98% of what all 3 gained; fewer lose more than 3%."),
        ((1.02, 0.98, 1.0), 1, "The first vector keeps 102% of what all 3 gained."),
        ((0.99, 0.9, 1.0), 3, "Every cut that was measured loses more than 3%"),
        ((None, None, None), None, "the loss is not clearly below that without the keyword"),
    ],
)
def test_the_conclusion_follows_the_losses(kept: tuple[float | None, ...], enough: int | None, words: str) -> None:
    found = VectorLosses(tuple(row(place + 1, one) for place, one in enumerate(kept)), 0.2, unseen=True)
    assert found.enough == enough
    assert words in found.conclusion()


def test_many_vectors_are_not_all_measured() -> None:
    assert numbers_to_measure(2) == [1, 2]
    assert numbers_to_measure(16) == [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16]
