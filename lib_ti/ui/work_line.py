"""The line that shows the work on many pictures that is going on, with its Stop; the same for all steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_ti.ui.controller import attempt
from lib_ti.ui.html.fragments import bar, hint, notice
from lib_ti.ui.parts import QUIET, Parts
from lib_ti.ui.work import WORKS, Now, Told

_SECONDS = 0.7
"""Between two looks of a page at work that is going on."""


def layout(parts: Parts) -> None:
    now = WORKS.now()
    parts.html("work", shown(now))
    with gr.Row(elem_classes="ti-buttons", visible=now.running) as buttons:
        parts.keep("work_buttons", buttons)
        parts.button("work_stop", "Stop", variant="stop", size="sm")
        parts.button("work_refresh", "Refresh", size="sm")
    # Its changes tell the steps that work has ended: "look 17". Not invisible, since what is not there cannot change.
    parts.keep("work_done", gr.Textbox("", show_label=False, elem_id="ti_work_done", elem_classes="ti-hidden"))


def connect(parts: Parts) -> None:
    outputs = watched(parts)

    def stop() -> list[Any]:
        WORKS.stop()
        return news()

    parts["work_stop"].click(stop, inputs=[], outputs=outputs, **QUIET)
    parts["work_refresh"].click(news, inputs=[], outputs=outputs, **QUIET)


def watched(parts: Parts) -> list[Any]:
    """The components that :func:`news` updates."""
    return [parts[name] for name in ("work", "work_buttons", "work_done")]


def news() -> list[Any]:
    now = WORKS.now()
    ended = gr.update() if now.running or not now.kind else f"{now.kind} {now.version}"
    return [shown(now), gr.update(visible=now.running), ended]


def begin(kind: str, title: str, action: Callable[[Told], Any], said: str = "") -> list[Any]:
    """Start work; returns updates of the step's own box and of :func:`watched`.

    The box shows ``said``, or why the work cannot begin.
    """
    _, problem = attempt(lambda: WORKS.start(kind, title, action))
    return [problem or said, *news()]


def outcome(kind: str) -> str:
    """A box that says how the last work failed or was stopped, where it was of this kind; else nothing."""
    now = WORKS.now()
    if now.kind != kind or now.running:
        return ""
    if now.state == "failed":
        return notice("error", now.errors, title=f"{now.title} ended with an error")
    return notice("info", [now.said]) if now.state == "stopped" else ""


def show_outcome(parts: Parts, kind: str, box: Any) -> None:
    """Have the step's own box say how work of this kind failed or was stopped: no other step shows it."""
    done = parts["work_done"]

    def ended(data: dict[Any, Any]) -> Any:
        shown = outcome(kind) if has_ended(data[done] or "", kind) else ""
        return shown or gr.update()

    done.change(ended, inputs={done}, outputs=[box], **QUIET)


def has_ended(done: str, kind: str) -> bool:
    """Whether a change of ``work_done`` tells that work of this kind has ended."""
    return done.partition(" ")[0] == kind


def shown(now: Now) -> str:
    active = "yes" if now.running else "no"
    return f'<div class="ti-work" data-active="{active}" data-seconds="{_SECONDS}">{_line(now)}</div>'


def _line(now: Now) -> str:
    if not now.running:
        return ""
    label = f"{now.title}: {now.done} of {now.total}" if now.total else now.title
    return bar(now.done / max(1, now.total), label) + (hint(now.said) if now.said else "")
