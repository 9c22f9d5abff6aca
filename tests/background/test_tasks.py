"""Background tasks: which run side by side, how each can end, and that no error is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lib_ti.background.kinds import CAPTIONING, CONTACT_SHEET, INSPECTION, RUN
from lib_ti.background.tasks import BackgroundTasks, TaskContext
from lib_ti.errors import BadInput, Busy, NeedsConsent, Stopped, UserError


class Gate:
    """The function of a task that runs until :attr:`opened` is set; :attr:`entered` tells that it has begun."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    def __call__(self, task: TaskContext) -> str:
        self.entered.set()
        while not self.opened.wait(0.01):
            if task.stop_requested():
                raise Stopped("Stopped after 1 of 2 images.")
        return "finished"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def tasks() -> BackgroundTasks:
    return BackgroundTasks()


def eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def failing(error: Exception) -> Callable[[TaskContext], Any]:
    def action(task: TaskContext) -> Any:
        raise error

    return action


def test_second_task_of_a_lane_is_refused(tasks: BackgroundTasks, gate: Gate) -> None:
    tasks.start(INSPECTION, "Inspecting", gate)
    words = "Inspecting is in progress: wait until it has ended, or press Stop in the Dataset tab"
    for kind in (INSPECTION, CAPTIONING):
        with pytest.raises(Busy, match=words) as refused:
            tasks.start(kind, "Inspecting", gate)
        assert tasks.is_active(refused.value.task)
    gate.opened.set()
    assert tasks.wait(20)
    assert not tasks.is_active(refused.value.task)
    tasks.start(INSPECTION, "Inspecting", gate)
    assert tasks.wait(20)


def test_tasks_of_different_lanes_run_side_by_side(tasks: BackgroundTasks, gate: Gate) -> None:
    other = Gate()
    tasks.start(RUN, "Training cats", gate)
    tasks.start(CAPTIONING, "Captioning cats", other)
    assert gate.entered.wait(20)
    assert other.entered.wait(20)
    assert tasks.lane_status("model").kind == RUN
    assert tasks.lane_status("dataset").kind == CAPTIONING
    other.opened.set()
    assert tasks.wait(20, CAPTIONING)
    assert not tasks.wait(0, RUN)


def test_a_run_waits_for_a_contact_sheet_and_then_begins(tasks: BackgroundTasks, gate: Gate) -> None:
    run = Gate()
    tasks.start(CONTACT_SHEET, "Contact sheet of cats", gate)
    tasks.start(RUN, "Training cats", run)
    eventually(lambda: "Contact sheet of cats" in tasks.status(RUN).message)
    assert tasks.status(RUN).state == "waiting"
    assert not run.entered.is_set()
    gate.opened.set()
    assert run.entered.wait(20)
    assert tasks.status(RUN).message == ""
    run.opened.set()
    assert tasks.wait(20)


def test_only_one_run_waits_and_a_contact_sheet_never_does(tasks: BackgroundTasks, gate: Gate) -> None:
    tasks.start(CONTACT_SHEET, "Contact sheet of cats", gate)
    tasks.start(RUN, "Training cats", gate)
    for kind in (RUN, CONTACT_SHEET):
        with pytest.raises(Busy, match="Contact sheet of cats is in progress"):
            tasks.start(kind, "Another", gate)


def test_a_waiting_run_can_be_stopped(tasks: BackgroundTasks, gate: Gate) -> None:
    run = Gate()
    tasks.start(CONTACT_SHEET, "Contact sheet of cats", gate)
    tasks.start(RUN, "Training cats", run)
    tasks.control(RUN).stop()
    assert tasks.wait(20, RUN)
    assert tasks.status(RUN).state == "stopped"
    assert not run.entered.is_set()
    assert tasks.status(CONTACT_SHEET).active


def test_work_that_needs_the_model_is_refused_with_the_progress_of_the_run(tasks: BackgroundTasks, gate: Gate) -> None:
    tasks.check_free("model")
    tasks.start(RUN, "Training cats", gate, total=20)
    with pytest.raises(
        Busy, match=r"Training cats is in progress \(step 0 of 20\): .* press Interrupt in the Train tab"
    ):
        tasks.check_free("model")
    tasks.check_free("dataset")


def test_progress_message_and_detail_are_seen_and_each_is_a_new_version(tasks: BackgroundTasks) -> None:
    seen = []

    def action(task: TaskContext) -> None:
        task.report_progress(1, 2)
        task.report_message("Waiting for the WebUI.")
        task.report_detail("detail")
        seen.append(tasks.status(INSPECTION))

    tasks.start(INSPECTION, "Inspecting cats", action)
    assert tasks.wait(20)
    (now,) = seen
    assert (now.state, now.done, now.total, now.message, now.detail) == (
        "running", 1, 2, "Waiting for the WebUI.", "detail",
    )  # fmt: skip
    ended = tasks.status(INSPECTION)
    assert ended.version > now.version
    tasks.start(CAPTIONING, "Captioning cats", action)
    assert tasks.wait(20)
    assert tasks.status(CAPTIONING).version > ended.version


def test_stop_is_shown_at_once_and_its_outcome_is_reported(tasks: BackgroundTasks, gate: Gate) -> None:
    tasks.start(INSPECTION, "Inspecting cats", gate)
    assert gate.entered.wait(20)
    tasks.control(INSPECTION).stop()
    assert tasks.status(INSPECTION).state in ("stopping", "stopped")
    assert tasks.wait(20)
    now = tasks.status(INSPECTION)
    assert (now.state, now.message, now.errors, now.active) == ("stopped", "Stopped after 1 of 2 images.", (), False)


@pytest.mark.parametrize(
    ("error", "state", "errors"),
    [
        (BadInput(["one.", "two."]), "failed", ("one.", "two.")),
        (UserError("It failed."), "failed", ("It failed.",)),
        (NeedsConsent("Continue on other images?"), "asking", ("Continue on other images?",)),
        (OSError(28, "No space left on device", "/full"), "failed", ("'/full' cannot be used: No space left",)),
    ],
)
def test_errors_meant_for_the_user_are_shown(
    error: Exception, state: str, errors: tuple[str, ...], tasks: BackgroundTasks
) -> None:
    tasks.start(INSPECTION, "Inspecting cats", failing(error))
    assert tasks.wait(20)
    now = tasks.status(INSPECTION)
    assert now.state == state
    assert len(now.errors) == len(errors)
    assert all(shown.startswith(begun) for shown, begun in zip(now.errors, errors, strict=True))


def test_unexpected_exception_is_logged_and_explained(tasks: BackgroundTasks, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        tasks.start(INSPECTION, "Inspecting cats", failing(ZeroDivisionError("division by zero")))
        assert tasks.wait(20)
    assert "ZeroDivisionError: division by zero (test_tasks.py, line" in tasks.status(INSPECTION).errors[0]
    assert "Inspecting cats failed" in caplog.text
    assert "Traceback" in caplog.text


def test_last_result_of_a_kind_stays_when_a_later_task_fails(tasks: BackgroundTasks) -> None:
    assert tasks.result(INSPECTION) is None
    tasks.start(INSPECTION, "Inspecting cats", lambda task: "report")
    assert tasks.wait(20)
    tasks.start(INSPECTION, "Inspecting cats", failing(UserError("It failed.")))
    assert tasks.wait(20)
    assert tasks.result(INSPECTION) == "report"
    assert tasks.result(CAPTIONING) is None


def test_without_a_task_nothing_is_active_and_requests_reach_nobody(tasks: BackgroundTasks) -> None:
    tasks.control(RUN).stop()
    assert tasks.status(RUN).state == tasks.lane_status("model").state == "idle"
    assert tasks.wait(0)
