"""Continuing a run: exactly, after a kill, with other settings, and from what earlier versions left."""

from __future__ import annotations

import csv
import json

import pytest
from safetensors import safe_open
from safetensors.torch import save_file

from lib_ti.embedding import files
from lib_ti.errors import BadInput
from lib_ti.signals import (
    Evaluated,
    LogMessage,
    RunStarted,
    StepDone,
)
from lib_ti.training.validation.history import read_history
from tests.fakes import FakeModel
from tests.training.conftest import Killed, Studio, kill_at, vectors


@pytest.mark.parametrize("sampling", ["once", "deterministic", "random"])
def test_a_resumed_run_equals_a_whole_one_bit_for_bit(studio: Studio, another: Studio, sampling: str) -> None:
    changes = {"latent_sampling": sampling, "shuffle_tags": True, "tag_dropout": 0.3, "gradient_accumulation": 2}
    studio.train(max_steps=20, **changes)
    another.train(max_steps=7, **changes)
    finished = another.train(max_steps=20, **changes)
    assert another.of(RunStarted)[0].resumed
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))
    with open(finished.folder / "textual_inversion_loss.csv", newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(1, 21))


def test_time_and_steps_count_all_sessions(studio: Studio) -> None:
    first = studio.train(max_steps=10)
    second = studio.train(max_steps=15)
    assert (first.steps, second.steps) == (10, 15)
    assert second.seconds > first.seconds


def test_a_state_of_an_earlier_version_is_continued(studio: Studio) -> None:
    folder = studio.train(max_steps=10).folder
    path = folder / "state.safetensors"
    with safe_open(str(path), framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    values = json.loads(metadata["state"])
    best = values.pop("best_step")
    del values["seconds"], values["identity"]["images"]
    values |= {"best": [best, 0.5], "first_loss": 0.6, "checks_since_best": 1}
    save_file(tensors, path, metadata={**metadata, "state": json.dumps(values)})
    (folder / "evaluation.csv").write_text("step,loss,norm\n0,0.6,1.0\n5,0.55,1.0\n10,0.5,1.0\n")
    finished = studio.train(max_steps=20)
    assert studio.of(RunStarted)[0].resumed
    assert (folder / "embeddings" / "my-style-best-until-10.safetensors").exists()
    assert [(check.step, check.data == "") for check in read_history(folder / "evaluation.csv")] == [
        (0, True),
        (5, True),
        (10, True),
        (15, False),
        (20, False),
    ]
    assert finished.best_step in (15, 20)


def test_a_kill_after_the_last_step_still_publishes(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_ti.training.callbacks.saver.STATE_EVERY_SECONDS", 0.0)
    with pytest.raises(Killed):
        studio.train(kill_at(Evaluated, 18), max_steps=18, validate_every=9, save_image_every=0)
    assert files.load(studio.embedding_file).step == 10
    finished = studio.train(max_steps=18, validate_every=9, save_image_every=0)
    assert (finished.step, files.load(studio.embedding_file).step) == (18, 18)


def test_a_damaged_or_foreign_model_is_told(studio: Studio) -> None:
    folder = studio.train(max_steps=5).folder
    (folder / "state.safetensors").unlink()
    studio.host.models.model = FakeModel(name="other", model_hash="9999999999")
    studio.train(max_steps=10)
    assert any("trained on fake [0123456789]; this run continues with other" in e.text for e in studio.of(LogMessage))


def test_leftovers_of_a_killed_program_are_removed(studio: Studio) -> None:
    left = studio.host.folders.embeddings / ".my-style-0123abcd.writing.safetensors"
    left.write_bytes(b"half")
    studio.train(max_steps=1)
    assert not left.exists()


def test_a_killed_run_goes_on_from_its_state(studio: Studio, another: Studio) -> None:
    studio.train(max_steps=20)

    with pytest.raises(Killed):
        another.train(kill_at(StepDone, 14), max_steps=20)
    assert files.load(another.embedding_file).step == 10
    another.train(max_steps=20)
    assert another.of(RunStarted)[0].first_step == 10
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))


def test_a_run_killed_before_its_first_save_is_set_aside_by_the_next(studio: Studio) -> None:
    with pytest.raises(Killed):
        studio.train(kill_at(StepDone, 3), save_embedding_every=0)
    (left,) = studio.logs.glob("*/my-style")
    assert (left / "images" / "my-style-0.png").exists() and not (left / "state.safetensors").exists()
    finished = studio.train()
    assert finished.folder == left
    said = [event.text for event in studio.of(LogMessage)]
    assert f"A run ended before its first save: its folder {left} is set aside, and a new run begins." in said
    (kept,) = studio.logs.glob("*/my-style.replaced-*")
    assert any(str(kept) in text for text in said)
    assert (kept / "images" / "my-style-0.png").exists() and (kept / "run.log").exists()
    assert (left / "run.log").read_text(encoding="utf-8").count("begins at step 0") == 1
    assert (left / "state.safetensors").exists()


def test_what_may_be_something_to_keep_is_not_set_aside(studio: Studio) -> None:
    first = studio.train(max_steps=10).folder
    (first / "state.safetensors").unlink()  # as load_state advises for a damaged one
    of_webui = first.parent / "my-style-2"
    (of_webui / "images").mkdir(parents=True)
    assert studio.train(max_steps=20).folder == first.parent / "my-style-3"
    assert not list(studio.logs.glob("*/*.replaced-*"))


def test_training_on_from_an_earlier_copy_begins_a_new_run(studio: Studio) -> None:
    first = studio.train()
    studio.embedding_file.write_bytes((first.folder / "embeddings" / "my-style-10.safetensors").read_bytes())
    second = studio.train()
    assert second.folder != first.folder
    assert studio.of(RunStarted)[0].first_step == 10


def test_a_changed_learning_rate_is_applied_and_told(studio: Studio) -> None:
    studio.train(max_steps=5)
    studio.train(max_steps=10, learning_rate="0.5")
    notes = [event.text for event in studio.of(LogMessage)]
    assert any("Embedding learning rate was '0.005' and is '0.5'" in text for text in notes)
    assert studio.of(StepDone)[0].learning_rate == 0.5


def test_another_dataset_is_told_and_another_model_refused(studio: Studio) -> None:
    studio.train(max_steps=5)
    (studio.pictures / "00.txt").write_text("something else")
    studio.train(max_steps=10)
    assert any("images, captions or sizes have changed" in event.text for event in studio.of(LogMessage))
    studio.host.models.model = FakeModel(name="other", model_hash="9999999999")
    with pytest.raises(BadInput, match=r"trained on fake \[0123456789\].*now other"):
        studio.train(max_steps=15)


def test_max_steps_already_reached_is_told(studio: Studio) -> None:
    studio.train(max_steps=5)
    with pytest.raises(BadInput, match="trained for 5 steps already.*raise Max steps"):
        studio.train(max_steps=5)


def test_damaged_state_begins_anew_and_says_so(studio: Studio) -> None:
    folder = studio.train(max_steps=5).folder
    (folder / "state.safetensors").write_bytes(b"broken")
    studio.train(max_steps=10)
    assert studio.of(RunStarted)[0].first_step == 5
    assert any("no state of the first 5 steps" in event.text for event in studio.of(LogMessage))
