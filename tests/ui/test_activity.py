"""The strip above the sub-tabs: what it says about each kind of task."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lib_ti.background.kinds import CAPTIONING, MAKE_IT, RUN
from lib_ti.background.tasks import BackgroundTasks, TaskContext, TaskStatus
from lib_ti.config import MakeConfig
from lib_ti.make_it.snapshot import MakeSnapshotBuilder
from lib_ti.signals import PhaseStarted, PreviewMade, Progress
from lib_ti.training.snapshot import Snapshot
from lib_ti.ui.activity import view
from tests.fakes import draw_images

TRAINING = Snapshot(state="training", name="my-style", step=60, first_step=20, max_steps=100, seconds_left=200)


def run(now: Snapshot) -> TaskStatus:
    return TaskStatus(3, 3, RUN, "Training my-style", "running", detail=now)


def test_a_run_shows_its_step_the_time_left_and_its_newest_preview(tmp_path: Path) -> None:
    draw_images(tmp_path / "images")
    image = next(path for path in sorted((tmp_path / "images").iterdir()) if path.suffix in (".png", ".jpg"))
    shown = view.line(run(replace(TRAINING, previews=(PreviewMade(50, image, "my-style", 1),))))
    assert "Training my-style: step 60 of 100 · 3 min 20 s left" in shown
    assert 'aria-valuenow="50"' in shown
    assert "<img" in shown
    state = view.state([run(TRAINING), TaskStatus()], 2)
    assert 'data-active="yes"' in state
    assert 'data-title="50% ETA: 03:20"' in state


def test_make_it_names_its_phase() -> None:
    builder = MakeSnapshotBuilder(MakeConfig(images="images", keyword="glow"))
    phase = builder.snapshot().phases[1]
    builder.add(PhaseStarted(phase.name, phase.title, 2, 9))
    builder.add(Progress("images", 3, 12))
    making = TaskStatus(3, 3, MAKE_IT, "Making glow", "running", detail=builder.snapshot())
    assert f"Making glow: {phase.title}, 3 of 12" in view.line(making)


def test_an_ended_task_is_no_longer_shown_but_its_end_can_be_notified() -> None:
    ended = replace(run(replace(TRAINING, state="done")), state="done")
    assert view.line(ended) == ""
    state = view.state([ended, TaskStatus()], 2)
    assert 'data-active="no"' in state
    assert 'data-outcome="Training my-style is finished."' in state


@pytest.fixture
def captioning() -> Iterator[TaskStatus]:
    tasks, hold, begun = BackgroundTasks(), threading.Event(), threading.Event()

    def caption(context: TaskContext) -> None:
        context.report_progress(2, 4)
        begun.set()
        hold.wait(20)

    tasks.start(CAPTIONING, "Captioning cats", caption)
    begun.wait(20)
    yield tasks.status(CAPTIONING)
    hold.set()
    tasks.wait(20)


def test_time_left_of_counted_work_is_estimated_from_the_time_so_far(captioning: TaskStatus) -> None:
    later = replace(captioning, running_since=captioning.running_since - 30)
    assert 30 <= later.seconds_left < 40
    assert "Captioning cats: 2 of 4 · 3" in view.line(later)
