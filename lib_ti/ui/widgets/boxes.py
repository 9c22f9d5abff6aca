"""Message boxes: each stands at its button, and the next press replaces its message.

An error also disappears when another button fixes it: :meth:`lib_ti.ui.parts.Parts.box` names that button's box. A
message that something was refused because a task is in progress disappears when that task has ended.
"""

from __future__ import annotations

import re
from typing import Any

import gradio as gr

from lib_ti.background.tasks import BackgroundTasks
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.html.fragments import holds_error
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets import html_changes

BUSY_BOXES = (
    "make_message", "inspect_message", "crop_message", "remove_message", "review_message",
    "prepare_message", "prepare_used", "captions_result", "create_result", "suggest_message", "check_result",
    "sheet_message", "compare_message",
)  # fmt: skip
"""Boxes of the buttons that start a task or use the model."""
_TASK = re.compile(r'<div class="ti-notice [^>]*data-task="(\d+)"')


def layout(parts: Parts) -> None:
    """Add what removes messages; the page's scripts use it."""
    parts.button("busy_refresh", "Refresh", elem_classes="ti-hidden")
    html_changes.layout(parts, "answered", parts.answered_by.values())


def connect(parts: Parts) -> None:
    _connect_answered(parts)
    tasks, boxes = parts.controller.tasks, [parts[name] for name in BUSY_BOXES]

    def refresh(data: dict[Any, Any]) -> list[Any]:
        return ["" if about_ended_task(data[box] or "", tasks) else gr.update() for box in boxes]

    parts["busy_refresh"].click(refresh, inputs=set(boxes), outputs=boxes, **QUIET)


def about_ended_task(shown: str, tasks: BackgroundTasks) -> bool:
    """Return whether a box says that something was refused because of a task which has ended by now."""
    found = _TASK.match(shown)
    return found is not None and not tasks.is_active(int(found[1]))


def _connect_answered(parts: Parts) -> None:
    """Remove the errors that another button has fixed."""
    by = {parts[name]: parts[fixed_by] for name, fixed_by in parts.answered_by.items()}

    def answer(data: dict[Any, Any]) -> list[Any]:
        return ["" if _answered(data[box] or "", data[by[box]] or "") else gr.update() for box in by]

    parts["answered"].change(answer, inputs={*by, *by.values()}, outputs=list(by), **QUIET)


def _answered(shown: str, by: str) -> bool:
    return holds_error(shown) and bool(by) and not holds_error(by)
