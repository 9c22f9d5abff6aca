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

BUSY_BOXES = (
    "make_message", "inspect_message", "crop_message", "remove_message", "review_message",
    "prepare_message", "prepare_used", "captions_result", "create_result", "suggest_message", "check_result",
    "sheet_message", "compare_message",
)  # fmt: skip
"""Boxes of the buttons that start a task or use the model."""
_TASK = re.compile(r'<div class="ti-notice [^>]*data-task="(\d+)"')


def layout(parts: Parts) -> None:
    """Add the button that removes messages about ended tasks; ``javascript/textual_inversion.js`` presses it."""
    parts.button("busy_refresh", "Refresh", elem_classes="ti-hidden")


def connect(parts: Parts) -> None:
    for name, by in parts.answered_by.items():
        _connect(parts[name], parts[by])
    tasks, boxes = parts.controller.tasks, [parts[name] for name in BUSY_BOXES]

    def refresh(data: dict[Any, Any]) -> list[Any]:
        return ["" if about_ended_task(data[box] or "", tasks) else gr.update() for box in boxes]

    parts["busy_refresh"].click(refresh, inputs=set(boxes), outputs=boxes, **QUIET)


def about_ended_task(shown: str, tasks: BackgroundTasks) -> bool:
    """Return whether a box says that something was refused because of a task which has ended by now."""
    found = _TASK.match(shown)
    return found is not None and not tasks.is_active(int(found[1]))


def _connect(box: Any, by: Any) -> None:
    def answer(data: dict[Any, Any]) -> Any:
        success = bool(data[by]) and not holds_error(data[by])
        return "" if success and holds_error(data[box] or "") else gr.update()

    by.change(answer, inputs={box, by}, outputs=[box], **QUIET)
