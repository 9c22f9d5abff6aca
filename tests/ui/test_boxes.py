"""Message boxes: a refusal because of a task disappears when the task has ended, and everything else stays."""

from __future__ import annotations

import threading

from lib_ti.background.kinds import RUN
from lib_ti.background.tasks import BackgroundTasks, TaskContext
from lib_ti.errors import Busy, UserError
from lib_ti.ui.attempt import attempt
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.widgets.boxes import about_ended_task


def test_refusal_because_of_a_run_is_outdated_once_the_run_has_ended() -> None:
    tasks, end = BackgroundTasks(), threading.Event()

    def run(task: TaskContext) -> None:
        end.wait(20)

    tasks.start(RUN, "Training cats", run)
    _, refused = attempt(lambda: tasks.check_free("model"))
    assert "Training cats is in progress" in refused
    assert "ti-info" in refused
    assert not about_ended_task(refused, tasks)
    end.set()
    assert tasks.wait(20)
    assert about_ended_task(refused, tasks)


def test_other_messages_stay() -> None:
    tasks = BackgroundTasks()

    def fail() -> None:
        raise UserError('<div class="ti-notice" data-task="1">')

    def refuse() -> None:
        raise Busy("The WebUI is using the model.")

    for shown in ("", notice("good", ["Saved."]), attempt(fail)[1], attempt(refuse)[1]):
        assert not about_ended_task(shown, tasks)
