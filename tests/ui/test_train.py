"""Runs that the sub-tab Train starts and shows, and what it says during one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib_ti.background.kinds import CAPTIONING
from lib_ti.background.model_use import using_model
from lib_ti.config import CreateConfig, TrainConfig, described
from lib_ti.errors import Busy, UserError
from lib_ti.training.snapshot import Snapshot
from lib_ti.ui.attempt import attempt
from lib_ti.ui.controller import Controller
from lib_ti.ui.train import view as progress
from tests.fakes import FakeHost
from tests.ui.conftest import EVIL, new


def test_a_run_is_started_shown_and_finished(controller: Controller, values: dict[str, Any]) -> None:
    assert "begins" in controller.train.start(values)
    assert controller.runs.wait(20)
    now = controller.runs.snapshot()
    shown = progress.status(now, 2)
    assert 'data-active="no"' in shown
    assert "is finished: 6 steps" in shown
    assert "my-style-6.safetensors" in shown
    assert progress.previews(now).count("<img") == 3
    assert "<polyline" in progress.curve(now)


def test_the_verdict_is_shown_with_its_reason() -> None:
    now = Snapshot(
        state="training",
        name="my-style",
        smoothed=0.1,
        evaluations=(((0, 0.03), (100, 0.02), (150, 0.0199)),),
        noise=((0, 0.03, 0.03), (100, 0.0195, 0.0205), (150, 0.0197, 0.0201)),
        best=(150, 0.0199),
        headline="Done since step 100. Best step: 150",
        reason="The loss fell.",
        done_step=100,
    )
    shown = progress.status(now, 2)
    assert "Done since step 100. Best step: 150" in shown
    assert "The loss fell." in shown
    chart = progress.curve(now)
    assert 'class="ti-noise"' in chart
    assert "done since step 100" in chart
    ended = replace(now, state="done", embedding=Path("my-style.safetensors"), restored_step=150, remark="It rose.")
    shown = progress.status(replace(ended, overtraining="It rose.", reason="The loss fell. It rose."), 2)
    assert "my-style.safetensors, of step 150, the best one" in shown
    assert shown.count("It rose.") == 1


def test_previews_use_the_values_of_txt2img_and_show_them(controller: Controller, values: dict[str, Any]) -> None:
    txt2img = {
        "prompt": "a house, my-style",
        "negative_prompt": EVIL,
        "steps": 7.0,
        "sampler": "Euler",
        "scheduler": "Karras",
        "cfg_scale": 5,
        "seed": "41",
        "width": 64,
        "height": 128,
    }
    controller.train.start(values, txt2img)
    assert controller.runs.wait(20)
    now = controller.runs.snapshot()
    assert {preview.prompt for preview in now.previews} == {"a house, my-style"}
    assert {preview.seed for preview in now.previews} == {41}
    assert now.settings["preview_steps"] == 7
    shown = progress.status(now, 2)
    assert "Euler, Karras, 7 steps" in shown
    assert "64 × 128" in shown
    assert "<script" not in shown


@pytest.fixture
def busy(controller: Controller, values: dict[str, Any], host: FakeHost) -> Iterator[Controller]:
    """During a run, whose model waits for the end of the test in a preview."""
    hold = threading.Event()
    generate = host.model.generate

    def slowly(request: Any, embeddings: Any) -> Any:
        hold.wait(20)
        return generate(request, embeddings)

    host.model.generate = slowly  # type: ignore[method-assign]
    controller.train.start(values)
    while not host.models.open_sessions:
        time.sleep(0.01)
    yield controller
    hold.set()
    controller.runs.wait(20)


def test_what_needs_the_model_says_at_once_that_a_run_is_in_progress(busy: Controller, values: dict[str, Any]) -> None:
    expected = "Training my-style is in progress (step"
    for action in (
        lambda: busy.create.create(new("other-style")),
        lambda: busy.train.check(values),
        lambda: busy.results.start_contact_sheet(SimpleNamespace(name="my-style"), "[name]"),  # type: ignore[arg-type]
    ):
        result, message = attempt(action)
        assert result is None
        assert expected in message
        assert "ti-info" in message


def test_what_needs_the_model_names_the_work_that_uses_it(controller: Controller, values: dict[str, Any]) -> None:
    tasks = controller.tasks
    hold = threading.Event()
    tasks.start(CAPTIONING, "Captioning cats", lambda task: [task.report_progress(2, 9), hold.wait(20)])
    while tasks.status(CAPTIONING).total == 0:
        time.sleep(0.01)
    with (
        pytest.raises(Busy, match=r"Captioning cats is in progress \(2 of 9\)"),
        using_model(tasks),
    ):
        raise Busy("The model is in use.")
    hold.set()
    tasks.wait(20)
    with pytest.raises(Busy, match="The model is in use"), using_model(tasks):
        raise Busy("The model is in use.")


def test_a_run_that_cannot_start_is_reported_and_nothing_runs(controller: Controller, values: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        controller.train.start({**values, "batch_size": 0})
    assert not controller.runs.snapshot().active


def test_a_failed_run_is_reported_on_the_page(controller: Controller, values: dict[str, Any]) -> None:
    controller.train.start({**values, "dataset": f"/{EVIL}"})
    assert controller.runs.wait(20)
    shown = progress.status(controller.runs.snapshot(), 2)
    assert "ended with an error" in shown
    assert 'role="alert"' in shown
    assert "<script" not in shown


def test_unexpected_errors_of_buttons_are_reported_with_their_location() -> None:
    result, message = attempt(lambda: {}["missing"])
    assert result is None
    assert "KeyError" in message
    assert "test_train.py" in message


def test_every_setting_has_words_for_its_field() -> None:
    for kind in (CreateConfig, TrainConfig):
        for name, _, _, item in described(kind):
            assert item.label, name
            assert item.help.endswith((".", "?")), name
