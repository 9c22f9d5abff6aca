"""The snapshot of a run that pages show, built from the events of the run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lib_ti.lazy import lazy
from lib_ti.signals import (
    Evaluated,
    Event,
    LogMessage,
    PreviewFailed,
    PreviewMade,
    PreviewStarted,
    Progress,
    RunFinished,
    RunStarted,
    Saved,
    StepDone,
)
from lib_ti.training.files.run_logger import describe_event
from lib_ti.training.files.tables import read_losses
from lib_ti.training.images.curve import Band, Curve, Point, ValidationCurve, band
from lib_ti.training.validation.differences import errors
from lib_ti.training.validation.history import read_history, segments
from lib_ti.training.validation.verdict import judge

if TYPE_CHECKING:
    from lib_ti.training.files import run_folder
    from lib_ti.training.images import run_curves
else:
    # They import torch.
    run_folder, run_curves = lazy("lib_ti.training.files.run_folder"), lazy("lib_ti.training.images.run_curves")

State = Literal["idle", "waiting", "encoding", "training", "asking", "cancelled", "stopped", "failed", "done"]
"""``asking``: nothing was started, because the user must agree first; ``errors`` holds the question."""
ACTIVE: tuple[State, ...] = ("waiting", "encoding", "training")
MOST_PREVIEWS = 12
"""Steps whose previews are kept."""
MOST_NOTES = 60
_OF_VERDICT = ("overtraining", "headline", "reason", "done_step")


@dataclass(frozen=True)
class Snapshot:
    """The state of a run at one moment, for pages. ``version`` grows with every change, across runs too."""

    version: int = 0
    state: State = "idle"
    name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    done: int = 0
    """Number of images encoded so far, of ``total``."""
    total: int = 0
    first_step: int = 0
    step: int = 0
    max_steps: int = 0
    smoothed: float | None = None
    learning_rate: float = 0.0
    step_seconds: float = 0.0
    seconds_left: float = 0.0
    losses: tuple[Point, ...] = ()
    """(step, smoothed loss) of the whole run, earlier sessions too, thinned."""
    evaluations: tuple[tuple[Point, ...], ...] = ()
    """(step, validation loss), thinned: one curve for each state of the data, because losses of different data cannot
    be compared. The last one is current."""
    no_keywords: tuple[float | None, ...] = ()
    """For each of these curves the loss of its samples without the embedding; None where it was not measured."""
    others: tuple[ValidationCurve, ...] = ()
    """Validation losses of the embedding's other runs, as they were when this one began."""
    best: Point | None = None
    """The best step and its validation loss."""
    overtraining: str = ""
    """A warning sentence; empty without overtraining."""
    headline: str = ""
    """The verdict in a few words; empty before the second check."""
    reason: str = ""
    """Sentences that say why."""
    noise: tuple[Band, ...] = ()
    """Band of one standard error around the current validation curve."""
    done_step: int | None = None
    """Step since which the loss has hardly fallen."""
    previewing: PreviewStarted | None = None
    """The preview that is being generated."""
    previews: tuple[PreviewMade, ...] = ()
    """Those of the last steps that have any, the newest last."""
    saved: Saved | None = None
    notes: tuple[LogMessage, ...] = ()
    errors: tuple[str, ...] = ()
    """Why the run failed, or was cancelled before its first step, one sentence each."""
    stopping: bool = False
    stopped_by: str = ""
    remark: str = ""
    """A sentence on what the run gained or lost, once it has ended; may be empty."""
    restored_step: int | None = None
    """Step of the embedding where it is the best one rather than the last one."""
    embedding: Path | None = None
    steps: int = 0
    seconds: float = 0.0
    """Steps and time of the whole run, earlier sessions too, once it has ended."""

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


class SnapshotBuilder:
    """Builds the snapshot of one run from its events. Not thread-safe."""

    def __init__(self, first: Snapshot) -> None:
        self._now = first
        self._losses = Curve()
        self._checks: list[Curve] = []
        self._no_keywords: list[float | None] = []
        self._errors: dict[int, float] = {}
        """Standard errors by step, of the last of these curves."""

    def snapshot(self) -> Snapshot:
        checks = tuple(curve.points() for curve in self._checks)
        noise = band(checks[-1], self._errors) if checks else ()
        return replace(
            self._now,
            losses=self._losses.points(),
            evaluations=checks,
            no_keywords=tuple(self._no_keywords),
            noise=noise,
        )

    def add(self, event: Event) -> None:
        self.change(**{"previewing": None, **self._changes(event)})

    def change(self, **changes: Any) -> None:
        self._now = replace(self._now, **changes)

    def _changes(self, event: Event) -> dict[str, Any]:
        """What an event changes in the snapshot."""
        if isinstance(event, StepDone):
            return self._step(event)
        if isinstance(event, Progress):
            return {"state": "encoding", "done": event.done, "total": event.total}
        if isinstance(event, RunStarted):
            return {
                **self._take_over(event),
                "state": "training",
                "folder": event.folder,
                "first_step": event.first_step,
                "step": event.first_step,
                "max_steps": event.max_steps,
                "notes": self._noted(LogMessage(describe_event(event) or "")),
            }
        if isinstance(event, Evaluated):
            return self._check(event)
        if isinstance(event, LogMessage):
            return {"notes": self._noted(event)}
        return self._results(event)

    def _results(self, event: Event) -> dict[str, Any]:
        if isinstance(event, Saved):
            return {"saved": event}
        if isinstance(event, PreviewStarted):
            return {"previewing": event}
        if isinstance(event, PreviewMade):
            return {"previews": _of_last_steps((*self._now.previews, event))}
        if isinstance(event, PreviewFailed):
            return {"notes": self._noted(LogMessage(describe_event(event) or "", warning=True))}
        if isinstance(event, RunFinished):
            taken = ("step", "embedding", "steps", "seconds", "stopped_by", "remark", "restored_step")
            state = "done" if event.reason == "done" else "stopped"
            return {"state": state, **{name: getattr(event, name) for name in taken}}
        return {}

    def _take_over(self, event: RunStarted) -> dict[str, Any]:
        """Read the curves of the run's earlier sessions and of the embedding's other runs."""
        folder = run_folder.RunFolder(event.folder, event.name)
        for step, loss in read_losses(folder.losses):
            self._losses.add(step, loss)
        history = read_history(folder.evaluations)
        for part in segments(history):
            self._errors = errors(part)
            self._checks.append(Curve())
            self._no_keywords.append(part[-1].no_keyword)
            for check in part:
                self._checks[-1].add(check.step, check.loss)
        others, verdict = run_curves.read_others(folder), judge(history)
        if verdict is None:
            return {"others": others}
        best = (verdict.best_step, verdict.best_loss)
        return {"others": others, "best": best, **{name: getattr(verdict, name) for name in _OF_VERDICT}}

    def _check(self, event: Evaluated) -> dict[str, Any]:
        if event.first_step == event.step or not self._checks:
            self._checks.append(Curve())
            self._no_keywords.append(None)
            self._errors = {}
        self._checks[-1].add(event.step, event.loss)
        self._no_keywords[-1] = event.no_keyword or self._no_keywords[-1]
        if math.isfinite(event.loss):
            self._errors[event.step] = event.error
        known = event.best_step is not None and event.best_loss is not None
        best = (event.best_step, event.best_loss) if known else None
        return {"best": best, **{name: getattr(event, name) for name in _OF_VERDICT}}

    def _step(self, event: StepDone) -> dict[str, Any]:
        if not event.skipped:
            self._losses.add(event.step, event.smoothed)
        return {
            "state": "training",
            "step": event.step,
            "max_steps": event.max_steps,
            "smoothed": event.smoothed,
            "learning_rate": event.learning_rate,
            "step_seconds": event.seconds,
            "seconds_left": event.seconds_left,
        }

    def _noted(self, note: LogMessage) -> tuple[LogMessage, ...]:
        return (*self._now.notes, note)[-MOST_NOTES:]


def _of_last_steps(previews: tuple[PreviewMade, ...]) -> tuple[PreviewMade, ...]:
    steps = list(dict.fromkeys(one.step for one in previews))[-MOST_PREVIEWS:]
    return tuple(one for one in previews if one.step in steps)
