"""The check that runs by itself on the Train page: after the last change, without the model, never beside a task."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lib_ti.background.kinds import INSPECTION
from lib_ti.background.tasks import BackgroundTasks
from lib_ti.config import TrainConfig, from_mapping
from lib_ti.training.check import check_run
from lib_ti.training.checks.findings import Finding
from lib_ti.training.run_plan import survey_run
from lib_ti.ui.controller import Controller
from lib_ti.ui.train import automatic_check
from lib_ti.ui.train.automatic_check import AutomaticChecks
from tests.fakes import FakeHost

SETTINGS = {"name": "my-style", "dataset": "images"}
Progress = Callable[[int, int], None]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automatic_check, "DELAY", 0.0)


def answer(checks: AutomaticChecks, settings: Mapping[str, Any], page: str = "page") -> str:
    """What a page shows in the end, which asks as long as it is told to."""
    end = time.monotonic() + 20
    while 'data-active="yes"' in (shown := checks.changed(page, settings)):
        assert time.monotonic() < end
        time.sleep(0.01)
    return shown


def test_a_change_is_checked_without_the_model(
    controller: Controller, values: dict[str, Any], host: FakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.models, "session", None)
    checks = controller.train.automatic_checks
    assert "Checking" in checks.changed("page", values)
    shown = answer(checks, values)
    assert "<summary>✓ Ready</summary>" in shown
    assert "Embedding my-style has 2 vectors and is new" in shown
    shown = answer(checks, {**values, "learning_rate": "100"})
    assert "<summary>✓ Ready, 1 warning</summary>" in shown
    assert "✗ 2 problems" in answer(checks, {**values, "name": "nowhere", "template": "nowhere"})


def test_what_needs_a_model_is_left_to_the_button_while_none_is_known(
    controller: Controller, values: dict[str, Any], host: FakeHost
) -> None:
    host.models.is_known = False
    shown = answer(controller.train.automatic_checks, {**values, "learning_rate": "100"})
    assert "<summary>✓ Ready</summary>" in shown
    assert "Check also tries a step" in shown


def test_it_finds_nothing_that_check_does_not_find(
    host: FakeHost, values: dict[str, Any], controller: Controller
) -> None:
    for changes in ({}, {"learning_rate": "100", "preview_prompt": "a house"}, {"template": "nowhere"}):
        config = from_mapping(TrainConfig, {**values, **changes})
        found = {(one.kind, one.text) for one in survey_run(host, config)}
        assert found
        assert found <= {(one.kind, one.text) for one in check_run(host, config)}


def test_a_newer_change_ends_the_check_of_the_former_one() -> None:
    begun, ended = threading.Event(), threading.Event()

    def check(settings: Mapping[str, Any], progress: Progress) -> list[Finding]:
        if settings["max_steps"] == 1:
            begun.set()
            try:
                while True:
                    progress(0, 1)
                    time.sleep(0.01)
            finally:
                ended.set()
        return [Finding("warning", f"of {settings['max_steps']}")]

    checks = AutomaticChecks(BackgroundTasks(), check)
    checks.changed("page", {**SETTINGS, "max_steps": 1})
    assert begun.wait(20)
    assert "of 2" in answer(checks, {**SETTINGS, "max_steps": 2})
    assert ended.wait(20)
    assert "of 3" in answer(checks, {**SETTINGS, "max_steps": 3}, "another page")
    assert "of 2" in checks.changed("page", {**SETTINGS, "max_steps": 2})


def test_changes_one_after_the_other_are_one_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automatic_check, "DELAY", 0.2)
    checked: list[Any] = []

    def check(settings: Mapping[str, Any], progress: Progress) -> list[Finding]:
        checked.append(settings["max_steps"])
        return []

    checks = AutomaticChecks(BackgroundTasks(), check)
    for steps in range(5):
        checks.changed("page", {**SETTINGS, "max_steps": steps})
    answer(checks, {**SETTINGS, "max_steps": 4})
    assert checked == [4]


def test_nothing_is_checked_beside_a_task_and_the_result_is_marked() -> None:
    tasks, hold = BackgroundTasks(), threading.Event()
    checks = AutomaticChecks(tasks, lambda settings, progress: [Finding("warning", "A warning.")])
    answer(checks, SETTINGS)
    tasks.start(INSPECTION, "Inspecting", lambda context: hold.wait(20))
    try:
        shown = checks.changed("page", {**SETTINGS, "max_steps": 7})
        assert "ti-outdated" in shown and "Settings have changed since this check" in shown
        assert 'data-active="yes"' not in shown
    finally:
        hold.set()
    assert tasks.wait(20)
    assert "ti-outdated" not in answer(checks, {**SETTINGS, "max_steps": 7})


def test_nothing_is_said_before_there_is_something_to_check() -> None:
    checks = AutomaticChecks(BackgroundTasks(), lambda settings, progress: [])
    assert checks.changed("page", {**SETTINGS, "name": " "}) == ""
    assert checks.changed("page", {**SETTINGS, "dataset": ""}) == ""


def test_the_result_of_the_button_is_outdated_by_a_change_and_not_by_a_look() -> None:
    checks = AutomaticChecks(BackgroundTasks(), lambda settings, progress: [])
    checks.show("page", SETTINGS, "<p>of the button</p>")
    assert checks.changed("page", SETTINGS) == "<p>of the button</p>"
    shown = checks.changed("page", {**SETTINGS, "max_steps": 7})
    assert "ti-outdated" in shown and "of the button" in shown
    assert "of the button" not in answer(checks, {**SETTINGS, "max_steps": 7})


def test_the_result_of_the_button_replaces_a_check_in_progress() -> None:
    begun, ended = threading.Event(), threading.Event()

    def check(settings: Mapping[str, Any], progress: Progress) -> list[Finding]:
        begun.set()
        try:
            while True:
                progress(0, 1)
                time.sleep(0.01)
        finally:
            ended.set()

    checks = AutomaticChecks(BackgroundTasks(), check)
    checks.changed("page", SETTINGS)
    assert begun.wait(20)
    checks.show("page", SETTINGS, "<p>of the button</p>")
    assert ended.wait(20)
    time.sleep(0.1)
    assert checks.changed("page", SETTINGS) == "<p>of the button</p>"


def test_a_file_that_changed_is_checked_again() -> None:
    checked: list[int] = []
    checks = AutomaticChecks(BackgroundTasks(), lambda settings, progress: checked.append(1) or [])  # type: ignore[func-returns-value]
    answer(checks, SETTINGS)
    checks.changed("page", SETTINGS, again=True)
    answer(checks, SETTINGS)
    assert len(checked) == 2
