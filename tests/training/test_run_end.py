"""How a run ends: when it is done, with its best step, and that further training continues from the last one."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lib_ti.config import TrainConfig, problems
from lib_ti.embedding import files
from lib_ti.errors import BadInput
from lib_ti.signals import Evaluated, Event, LogMessage, RunStarted, Saved, StepDone
from lib_ti.training.files.run_state import load_state
from lib_ti.training.validation.history import read_history
from tests.fakes import draw_images
from tests.training.conftest import Killed, Studio, kill_at, vectors

OVERSHOOTING = {"learning_rate": "0.05:30, 3", "max_steps": 40, "save_image_every": 0}
"""Settings of a run that learns, and in the last ten steps loses what it learned."""


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    made = Studio(tmp_path)
    draw_images(made.pictures, count=20)
    return made


@pytest.fixture
def another(tmp_path: Path) -> Studio:
    made = Studio(tmp_path / "another")
    draw_images(made.pictures, count=20)
    return made


def said(studio: Studio) -> str:
    return "\n".join(event.text for event in studio.of(LogMessage))


@pytest.mark.parametrize("every", [10, 0])
def test_the_best_step_is_restored_and_the_last_one_kept(studio: Studio, every: int) -> None:
    finished = studio.train(**OVERSHOOTING, save_embedding_every=every)
    best = files.load(studio.embedding_file)
    assert best.step == finished.best_step == finished.restored_step
    assert best.step < 40
    checkpoints = finished.folder / "embeddings"
    assert best.vectors["clip_l"].equal(vectors(checkpoints / "my-style-best.safetensors"))
    last = files.load(checkpoints / "my-style-40.safetensors")
    state = load_state(finished.folder / "state.safetensors")
    assert last.vectors["clip_l"].equal(state.vectors["clip_l"])
    assert f"is the embedding of step {best.step}, which has the lowest validation loss" in said(studio)
    assert str(checkpoints / "my-style-40.safetensors") in said(studio)


def test_further_training_continues_from_the_last_step(studio: Studio, another: Studio) -> None:
    longer = {**OVERSHOOTING, "max_steps": 50, "restore_best": False}
    another.train(**longer)
    studio.train(**OVERSHOOTING)
    with pytest.raises(BadInput, match="trained for 40 steps already, of which step .* was the best"):
        studio.train(**OVERSHOOTING)
    finished = studio.train(**longer)
    assert studio.of(RunStarted)[0].first_step == 40
    assert finished.restored_step is None
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))


def test_a_restored_checkpoint_is_what_the_user_continues_from(studio: Studio) -> None:
    folder = studio.train(**OVERSHOOTING).folder
    studio.embedding_file.write_bytes((folder / "embeddings" / "my-style-20.safetensors").read_bytes())
    studio.train(**{**OVERSHOOTING, "max_steps": 50})
    assert studio.of(RunStarted)[0].first_step == 20


def test_a_stopped_run_keeps_its_last_step(studio: Studio) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 36:
            studio.control.stop()

    finished = studio.train(stop, **OVERSHOOTING)
    assert (finished.reason, finished.restored_step) == ("stopped", None)
    assert files.load(studio.embedding_file).step == 36


@pytest.mark.parametrize("changes", [{"restore_best": False}, {"validation_split": 0.0}, {"validate_every": 0}])
def test_nothing_is_restored_without_a_best_step_that_counts(studio: Studio, changes: dict[str, object]) -> None:
    assert studio.train(**OVERSHOOTING, **changes).restored_step is None
    assert files.load(studio.embedding_file).step == 40


def test_a_run_stops_when_it_is_done(studio: Studio, another: Studio) -> None:
    settings = {"learning_rate": "0.05", "max_steps": 400, "save_image_every": 0, "validate_every": 10}
    finished = studio.train(**settings, stop_when_done=True)
    assert finished.reason == "done"
    assert finished.step < 400
    last = studio.of(Evaluated)[-1]
    assert (last.state, last.step) == ("done", finished.step)
    assert last.headline.startswith("Done since step ")
    longer = finished.step + 10
    assert another.train(**{**settings, "max_steps": longer}).step == longer
    assert [event.loss for event in another.of(Evaluated)][: len(studio.of(Evaluated))] == [
        event.loss for event in studio.of(Evaluated)
    ]


def test_an_interrupted_run_stops_at_the_same_step(studio: Studio, another: Studio) -> None:
    settings = {"learning_rate": "0.05", "save_image_every": 0, "validate_every": -1, "stop_when_done": True}
    whole = another.train(**settings, max_steps=400)
    assert whole.step > 20
    for step in (5, 13, 20):
        studio.train(**settings, max_steps=step)
    finished = studio.train(**settings, max_steps=400)
    assert (finished.reason, finished.step) == ("done", whole.step)
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))
    rows = [check for check in read_history(finished.folder / "evaluation.csv") if check.due]
    assert rows == list(read_history(whole.folder / "evaluation.csv"))


def test_a_run_that_was_done_is_trained_further_to_the_next_check(studio: Studio) -> None:
    settings = {"learning_rate": "0.05", "max_steps": 400, "save_image_every": 0, "stop_when_done": True}
    first = studio.train(**settings)
    again = studio.train(**settings)
    assert again.reason == "done"
    assert first.step < again.step < 400
    assert "it is trained further, and stops when a check finds it done again" in said(studio)


def test_a_run_that_was_killed_when_done_ends_at_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_ti.training.callbacks.saver.STATE_EVERY_SECONDS", 0.0)
    settings = {"learning_rate": "0.05", "max_steps": 400, "save_image_every": 0, "save_embedding_every": 0}
    with pytest.raises(Killed):
        studio.train(kill_at(Saved, 21), **settings, stop_when_done=True)
    state = next(studio.logs.glob("*/my-style/state.safetensors"))
    reached = load_state(state)
    replace(reached, ended=False).save(state)  # as before the end was saved
    finished = studio.train(**settings, stop_when_done=True)
    assert (finished.reason, finished.step) == ("done", reached.step)
    with open(finished.folder / "evaluation.csv", newline="") as file:
        steps = [row["step"] for row in csv.DictReader(file)]
    assert len(steps) == len(set(steps))


def test_stop_when_done_needs_validation() -> None:
    (problem,) = problems(TrainConfig(name="x", dataset="y", stop_when_done=True, validate_every=0))
    assert problem.startswith("Stop when done needs validation, and Validate every N steps is 0")
    (problem,) = problems(TrainConfig(name="x", dataset="y", validation_split=-0.5))
    assert problem.startswith("Validation split is -0.5: give a share from 0 to 0.5, or -1")


def test_few_images_are_said_to_be_too_few(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    for path in sorted(studio.pictures.glob("*.png"))[3:]:
        path.unlink()
    studio.train(learning_rate="0.05")
    assert "3 images are too few to hold any out, so the verdict rests on training images" in said(studio)
    (check, *_) = studio.of(Evaluated)
    assert check.headline == ""
    assert "on the training images" in studio.of(Evaluated)[-1].reason


def test_broken_validation_images_are_replaced_by_others(studio: Studio) -> None:
    folder = studio.train(max_steps=1, save_image_every=0).folder
    (settings,) = folder.glob("settings-*.json")
    held_out = json.loads(settings.read_text())["held_out"]
    assert len(held_out) == 8
    for name in held_out:
        (studio.pictures / name).write_bytes((studio.pictures / name).read_bytes()[:60])
    finished = studio.train(max_steps=2, save_image_every=0)
    newest = sorted(finished.folder.glob("settings-*.json"), key=lambda path: path.stat().st_mtime)[-1]
    now = json.loads(newest.read_text())["held_out"]
    assert now
    assert not {*now} & {*held_out}
