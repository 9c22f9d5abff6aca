"""Background tasks as HTML: one line each, and what the page's script puts into the browser's title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lib_ti.background.kinds import MAKE_IT, RUN
from lib_ti.background.tasks import TaskStatus
from lib_ti.ui.html.fragments import bar, duration, escape, figure

_PREVIEW = 96
"""Longest side of the newest preview in pixels."""
_ENDINGS = {
    "done": "is finished",
    "stopped": "was stopped",
    "failed": "ended with an error",
    "asking": "has a question",
}


@dataclass(frozen=True)
class Activity:
    """How far a task is. ``share`` is from 0 to 1, and ``seconds_left`` 0 while it is unknown."""

    label: str
    share: float = 0.0
    seconds_left: float = 0.0
    preview: Any = None
    """The newest :class:`lib_ti.signals.PreviewMade` of a run."""


def state(lanes: Sequence[TaskStatus], seconds: float) -> str:
    """What the page's script reads: whether something runs, the browser's title, and how tasks have ended."""
    active = [one for one in lanes if one.active]
    title = _title(activity(active[0])) if active else ""
    tasks = "".join(
        f'<i data-number="{one.number}" data-running="{"yes" if one.active else "no"}" '
        f'data-outcome="{escape(outcome(one))}"></i>'
        for one in lanes
        if one.number
    )
    return (
        f'<div class="ti-activity-state" data-active="{"yes" if active else "no"}" data-seconds="{seconds:g}" '
        f'data-title="{escape(title)}">{tasks}</div>'
    )


def line(now: TaskStatus) -> str:
    """Newest preview, progress and time left of an active task; empty without one."""
    if not now.active:
        return ""
    shown = activity(now)
    label = shown.label
    if shown.seconds_left >= 1:
        label += f" · {duration(shown.seconds_left)} left"
    preview = _preview(shown.preview.path, shown.preview.step) if shown.preview else ""
    return f'<div class="ti-activity-line">{preview}{bar(shown.share, label)}</div>'


def outcome(now: TaskStatus) -> str:
    """How a task has ended, as a sentence; empty while it is active."""
    return f"{now.title} {_ENDINGS[now.state]}." if now.state in _ENDINGS else ""


def activity(now: TaskStatus) -> Activity:
    """Return how far an active task is."""
    run = now.detail.run if now.kind == MAKE_IT else now.detail if now.kind == RUN else None
    preview = run.previews[-1] if run and run.previews else None
    if now.state == "stopping":
        return Activity(f"{now.title}: stopping …", preview=preview)
    if run and run.state == "training":
        share = (run.step - run.first_step) / max(1, run.max_steps - run.first_step)
        label = f"{now.title}: step {run.step} of {run.max_steps}"
        if run.previewing is not None:
            label += ", generating a preview"
        return Activity(label, share, run.seconds_left, preview)
    if run and run.state == "encoding":
        return Activity(f"{now.title}: encoding image {run.done} of {run.total}", run.done / max(1, run.total))
    if now.kind == MAKE_IT:
        return _making(now, preview)
    return _counted(now)


def _making(now: TaskStatus, preview: Any) -> Activity:
    making = now.detail
    phase = next((one.title for one in making.phases if one.state == "active"), "")
    label = f"{now.title}: {phase}" if phase else now.title
    if making.total:
        label += f", {making.done} of {making.total}"
    return Activity(label, making.done / max(1, making.total), preview=preview)


def _counted(now: TaskStatus) -> Activity:
    if now.kind == RUN or not now.total:
        return Activity(f"{now.title}: {now.message}" if now.message else f"{now.title} …")
    return Activity(f"{now.title}: {now.done} of {now.total}", now.done / now.total, now.seconds_left)


def _title(shown: Activity) -> str:
    """Progress as the WebUI writes it in the browser's title."""
    percent = f"{100 * shown.share:.0f}%" if shown.share > 0 else "…"
    return f"{percent} ETA: {_clock(shown.seconds_left)}" if shown.seconds_left >= 1 else percent


def _clock(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours:02}:{minutes:02}:{rest:02}"
    return f"{minutes:02}:{rest:02}" if minutes else f"{rest}s"


@lru_cache(maxsize=4)
def _preview(path: Path, step: int) -> str:
    return figure(path, f"step {step}", size=_PREVIEW)
