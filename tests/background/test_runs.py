"""Runs in the background: their snapshots, one run at a time, and every error reported."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lib_ti.background.runs import Runs
from lib_ti.background.tasks import BackgroundTasks
from lib_ti.config import TrainConfig
from lib_ti.errors import BadInput, Busy, Stopped, TrainingFailed
from lib_ti.host.base import Host
from lib_ti.signals import Control, Listener, LogMessage, RunFinished, RunStarted, Saved, StepDone
from lib_ti.training.images.curve import MOST_POINTS, Curve
from lib_ti.training.snapshot import Snapshot
from tests.fakes import FakeModel, draw_images
from tests.training.conftest import Studio

Run = Callable[[Listener, Control], None]


def runs_that(run: Run) -> Runs:
    """Runs whose training is ``run`` alone."""

    def train(host: Host, config: TrainConfig, listen: Listener, control: Control) -> RunFinished:
        run(listen, control)
        finished = RunFinished(3, "stopped" if control.stop_requested else "done", Path("e"), Path("f"), None, 1.0)
        listen(finished)
        return finished

    return Runs(BackgroundTasks(), train)


def ended(runs: Runs, studio: Studio, **changes: Any) -> Snapshot:
    runs.start(studio.host, studio.config(**changes))
    assert runs.wait(20)
    return runs.snapshot()


def test_before_any_run_it_is_idle() -> None:
    runs = Runs(BackgroundTasks())
    assert runs.snapshot().state == "idle"
    assert not runs.snapshot().active
    runs.stop()
    assert runs.wait(0)


def test_snapshot_of_a_finished_run_is_complete(studio: Studio) -> None:
    now = ended(Runs(BackgroundTasks()), studio)
    assert (now.state, now.step, now.max_steps, now.name) == ("done", 20, 20, "my-style")
    assert now.embedding == studio.embedding_file
    assert [preview.step for preview in now.previews] == [0, 10, 20]
    assert all(preview.path.exists() for preview in now.previews)
    assert now.saved is not None
    assert now.saved.step == 20
    assert [step for step, _ in now.losses] == list(range(1, 21))
    assert [[step for step, _ in curve] for curve in now.evaluations] == [[0, 5, 10, 15, 20]]
    assert now.settings["preview_seed"] == 7
    assert any("images" in note.text for note in now.notes)
    assert not now.errors


def test_second_run_is_refused_with_the_progress_of_the_first(studio: Studio) -> None:
    begun, go = threading.Event(), threading.Event()

    def run(listen: Listener, control: Control) -> None:
        listen(RunStarted("my-style", Path("f"), 0, 20, 5, 0, resumed=False))
        begun.set()
        go.wait(20)

    runs = runs_that(run)
    runs.start(studio.host, studio.config())
    assert begun.wait(20)
    with pytest.raises(Busy, match=r"Training my-style is in progress \(step 0 of 20\)"):
        runs.start(studio.host, studio.config())
    go.set()
    assert runs.wait(20)
    runs.start(studio.host, studio.config())
    assert runs.wait(20)


def test_stop_save_and_preview_reach_the_run(studio: Studio) -> None:
    begun, go = threading.Event(), threading.Event()
    seen: list[bool] = []

    def run(listen: Listener, control: Control) -> None:
        begun.set()
        go.wait(20)
        seen.extend([control.take_save(), control.take_preview(), control.stop_requested])

    runs = runs_that(run)
    runs.start(studio.host, studio.config())
    assert begun.wait(20)
    runs.save_now()
    runs.preview_now()
    runs.stop()
    assert runs.snapshot().stopping
    go.set()
    assert runs.wait(20)
    assert seen == [True, True, True]
    assert runs.snapshot().state == "stopped"
    assert not runs.snapshot().stopping


def test_run_stopped_before_its_first_step_is_cancelled_not_failed(studio: Studio) -> None:
    def run(listen: Listener, control: Control) -> None:
        raise Stopped("It was still waiting for its turn; nothing was changed.")

    runs = runs_that(run)
    runs.start(studio.host, studio.config())
    assert runs.wait(20)
    now = runs.snapshot()
    assert (now.state, now.active) == ("cancelled", False)
    assert now.errors == ("It was still waiting for its turn; nothing was changed.",)


def test_each_problem_of_bad_input_is_a_sentence_of_its_own(studio: Studio) -> None:
    runs = Runs(BackgroundTasks())
    runs.start(studio.host, studio.config(dataset="nowhere", template="no-such"))
    runs.wait(20)
    now = runs.snapshot()
    assert now.state == "failed"
    assert len(now.errors) == 2
    assert any("nowhere" in error for error in now.errors)


def test_failed_run_reports_the_error_and_what_was_saved(studio: Studio) -> None:
    def run(listen: Listener, control: Control) -> None:
        listen(Saved(2, (Path("e"),)))
        raise TrainingFailed("The loss is undefined.")

    assert ended(runs_that(run), studio).errors == ("The loss is undefined.", "What was saved at step 2 is whole.")


def test_unexpected_error_is_explained_and_its_traceback_is_in_run_log(studio: Studio, tmp_path: Path) -> None:
    def run(listen: Listener, control: Control) -> None:
        listen(RunStarted("my-style", tmp_path, 0, 20, 5, 0, resumed=False))
        raise ZeroDivisionError("division by zero")

    now = ended(runs_that(run), studio)
    assert now.state == "failed"
    assert "ZeroDivisionError: division by zero (test_runs.py, line" in now.errors[0]
    assert "ZeroDivisionError" in (tmp_path / "run.log").read_text()


def test_out_of_memory_is_explained_with_advice(studio: Studio) -> None:
    def run(listen: Listener, control: Control) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    now = ended(runs_that(run), studio)
    assert "smaller Batch size" in now.errors[0]
    assert "CUDA out of memory" in now.errors[1]


def test_run_that_waits_for_the_model_shows_the_reason(studio: Studio) -> None:
    states: list[str] = []
    runs: Runs

    def run(listen: Listener, control: Control) -> None:
        listen(LogMessage("Waiting for a picture that is being drawn."))
        states.append(runs.snapshot().state)

    runs = runs_that(run)
    assert ended(runs, studio).notes[0].text.startswith("Waiting")
    assert states == ["waiting"]


def test_resumed_run_shows_the_curves_of_earlier_sessions(studio: Studio) -> None:
    studio.train(max_steps=10, learning_rate="0.05")
    now = ended(Runs(BackgroundTasks()), studio)
    assert [step for step, _ in now.losses] == list(range(1, 21))
    assert [[step for step, _ in curve] for curve in now.evaluations] == [[0, 5, 10, 15, 20]]
    assert now.best in now.evaluations[-1]
    assert now.steps == 20


def test_a_resumed_run_knows_its_best_step_before_the_next_check(studio: Studio) -> None:
    studio.train(max_steps=10, learning_rate="0.05")
    now = ended(Runs(BackgroundTasks()), studio, validate_every=0, validation_split=0.1)
    assert now.best in now.evaluations[-1]


def test_another_dataset_asks_for_consent_and_then_trains(studio: Studio, tmp_path: Path) -> None:
    runs = Runs(BackgroundTasks())
    ended(runs, studio)
    config = studio.config(max_steps=30, dataset=str(draw_images(tmp_path / "others", size=40)))
    runs.start(studio.host, config)
    assert runs.wait(20)
    assert (runs.snapshot().state, runs.snapshot().active) == ("asking", False)
    assert "on other images" in runs.snapshot().errors[0]
    runs.start(studio.host, config, new_data=True)
    assert runs.wait(20)
    assert (runs.snapshot().state, runs.snapshot().step) == ("done", 30)


def test_preview_in_progress_is_in_the_snapshot(studio: Studio) -> None:
    seen: list[int | None] = []
    runs = Runs(BackgroundTasks())
    generate = studio.host.model.generate

    def slow(*arguments: object) -> object:
        now = runs.snapshot().previewing
        seen.append(now.step if now else None)
        return generate(*arguments)  # type: ignore[arg-type]

    studio.host.model.generate = slow  # type: ignore[method-assign,assignment]
    assert ended(runs, studio).previewing is None
    assert seen == [0, 10, 20]


def test_version_grows_with_each_change_and_across_runs(studio: Studio) -> None:
    runs = runs_that(lambda listen, control: None)
    first = ended(runs, studio).version
    assert first > 0
    assert ended(runs, studio).version > first


def test_failed_preview_is_a_warning_and_the_run_continues(studio: Studio) -> None:
    model = studio.host.model
    assert isinstance(model, FakeModel)
    model.previews_fail = True
    now = ended(Runs(BackgroundTasks()), studio)
    assert now.state == "done"
    assert any(note.warning and "graphics memory" in note.text for note in now.notes)


def test_skipped_steps_are_not_in_the_loss_curve(studio: Studio) -> None:
    def run(listen: Listener, control: Control) -> None:
        listen(StepDone(1, 20, float("nan"), float("nan"), 0.1, 0.1, skipped=True))
        listen(StepDone(2, 20, 1.0, 1.0, 0.1, 0.1))

    assert ended(runs_that(run), studio).losses == ((2, 1.0),)


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 12345])
def test_a_curve_of_any_length_has_few_points_and_its_ends(count: int) -> None:
    curve = Curve()
    for step in range(1, count + 1):
        curve.add(step, float(step))
    points = curve.points()
    assert len(points) <= MOST_POINTS + 1
    assert count == 0 or (points[0][0], points[-1][0]) == (1, count)
    gaps = {after[0] - before[0] for before, after in pairwise(points[:-1])}
    assert len(gaps) <= 1


def test_another_run_can_start_after_bad_input(studio: Studio) -> None:
    def run(listen: Listener, control: Control) -> None:
        raise BadInput(["one.", "two."])

    runs = runs_that(run)
    assert ended(runs, studio).errors == ("one.", "two.")
    assert ended(runs, studio).state == "failed"
