"""The line that shows a background task while it is active, with its Stop; the same on every page that has tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from lib_ti.background.kinds import TaskKind
from lib_ti.background.tasks import Action, BackgroundTasks, TaskStatus
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.html.fragments import bar, hint, notice

_SECONDS = 0.7
"""Time between two requests of a page for the status of an active task."""


class TaskLine:
    """Progress, message and Stop of one task, and an event for its end; laid out where it is created.

    Parameters
    ----------
    tasks
        Runs the tasks, and stops them.
    name
        Its components' ids are ``ti_`` and this name, alone or with ``_stop``, ``_refresh`` or ``_done``.
    status
        Returns the status of the task to show.
    """

    def __init__(self, tasks: BackgroundTasks, name: str, status: Callable[[], TaskStatus]) -> None:
        self._tasks, self._id, self._status = tasks, f"ti_{name}", status
        shown = gr.HTML(self._shown(), elem_id=self._id)
        with gr.Row(elem_classes="ti-buttons", visible=status().active) as buttons:
            self._stop = gr.Button("Stop", variant="stop", size="sm", elem_id=f"{self._id}_stop")
            self._refresh = gr.Button("Refresh", size="sm", elem_id=f"{self._id}_refresh")
        # Not invisible, since then it could not change.
        self.done: Any = gr.Textbox("", show_label=False, elem_id=f"{self._id}_done", elem_classes="ti-hidden")
        """The component whose changes report that a task has ended: ``inspect 17``."""
        self.outputs: list[Any] = [shown, buttons, self.done]
        """The components that :meth:`updates` updates."""

    def connect(self) -> None:
        def stop() -> list[Any]:
            if kind := self._status().kind:
                self._tasks.control(kind).stop()
            return self.updates()

        self._stop.click(stop, inputs=[], outputs=self.outputs, **QUIET)
        self._refresh.click(self.updates, inputs=[], outputs=self.outputs, **QUIET)

    def updates(self) -> list[Any]:
        now = self._status()
        ended = gr.update() if now.active or not now.kind else f"{now.kind.name} {now.version}"
        return [self._shown(), gr.update(visible=now.active), ended]

    def start(self, kind: TaskKind, title: str, action: Action, message: str = "") -> list[Any]:
        """Start a task; returns updates of the page's own box and of :attr:`outputs`.

        The box shows ``message``, or why the task cannot start.
        """
        _, problem = attempt(lambda: self._tasks.start(kind, title, action))
        return [problem or message, *self.updates()]

    def ended(self, data: Mapping[Any, Any], kind: TaskKind) -> bool:
        """Whether a change of :attr:`done` reports that a task of this kind has ended."""
        return (data[self.done] or "").partition(" ")[0] == kind.name

    def succeeded(self, data: Mapping[Any, Any], kind: TaskKind) -> bool:
        """Whether a change of :attr:`done` reports that a task of this kind has ended, and has a result."""
        return self.ended(data, kind) and self._tasks.status(kind).state == "done"

    def outcome(self, kind: TaskKind) -> str:
        """Return a box on how the line's last task failed or was stopped, where it was of this kind; else nothing."""
        now = self._status()
        if now.kind != kind or now.active:
            return ""
        if now.state == "failed":
            return notice("error", now.errors, title=f"{now.title} ended with an error")
        return notice("info", [now.message]) if now.state == "stopped" else ""

    def show_outcome(self, kind: TaskKind, box: Any) -> None:
        """Have a box show how tasks of this kind fail or are stopped."""

        def show(data: dict[Any, Any]) -> Any:
            shown = self.outcome(kind) if self.ended(data, kind) else ""
            return shown or gr.update()

        self.done.change(show, inputs={self.done}, outputs=[box], **QUIET)

    def _shown(self) -> str:
        now = self._status()
        state = f'data-active="{"yes" if now.active else "no"}" data-seconds="{_SECONDS}"'
        return f'<div class="ti-task" {state} data-refresh="{self._id}_refresh">{_line(now)}</div>'


def _line(now: TaskStatus) -> str:
    if not now.active:
        return ""
    label = f"{now.title}: {now.done} of {now.total}" if now.total else now.title
    message = "Stopping …" if now.state == "stopping" else now.message
    return bar(now.done / max(1, now.total), label) + (hint(message) if message else "")
