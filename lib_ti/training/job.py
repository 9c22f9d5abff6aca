"""The one training that may run in this process: started by a tab, watched by any number of them.

A run belongs to the process and to no browser tab: pages are closed, the WebUI's "Reload UI" builds its tabs anew, and
the run goes on and is found again, because this module stays imported and :data:`JOBS` with it.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from lib_ti.atomic import append_text
from lib_ti.config import TrainConfig, to_mapping
from lib_ti.errors import BadInput, Stopped, TrainingFailed, UserError, out_of_memory
from lib_ti.host.base import Host
from lib_ti.signals import (
    Control,
    Evaluated,
    Event,
    Listener,
    Note,
    PreviewFailed,
    PreviewMade,
    Progress,
    RunFinished,
    RunStarted,
    Saved,
    StepDone,
)
from lib_ti.training.runlog import sentence

State = Literal["idle", "waiting", "encoding", "training", "cancelled", "stopped", "failed", "done"]
ACTIVE: tuple[State, ...] = ("waiting", "encoding", "training")
MOST_POINTS = 500
"""Points of the loss curve that are kept: more than a screen shows."""
MOST_PREVIEWS = 12
MOST_NOTES = 60

Train = Callable[[Host, TrainConfig, Listener, Control], RunFinished]

logger = logging.getLogger(__name__)


def train_embedding(host: Host, config: TrainConfig, listen: Listener, control: Control) -> RunFinished:
    """:func:`lib_ti.training.run.train`, which is imported by the first run and not by the WebUI's start."""
    from lib_ti.training.run import train

    return train(host, config, listen, control)


@dataclass(frozen=True)
class Snapshot:
    """Everything a page shows of a run, at one moment. ``version`` grows with every change, across runs too."""

    version: int = 0
    state: State = "idle"
    name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    done: int = 0
    """Of ``total`` pictures while encoding."""
    total: int = 0
    first_step: int = 0
    step: int = 0
    max_steps: int = 0
    smoothed: float | None = None
    rate: float = 0.0
    step_seconds: float = 0.0
    seconds_left: float = 0.0
    losses: tuple[tuple[int, float], ...] = ()
    """(step, smoothed loss), at most :data:`MOST_POINTS`."""
    evaluations: tuple[tuple[int, float], ...] = ()
    """(step, loss measured with fixed noise), at most :data:`MOST_POINTS`."""
    best_step: int | None = None
    overtraining: bool = False
    previews: tuple[PreviewMade, ...] = ()
    """The newest last."""
    saved: Saved | None = None
    notes: tuple[Note, ...] = ()
    errors: tuple[str, ...] = ()
    """Why the run failed, or was cancelled before its first step, one sentence each."""
    stopping: bool = False
    embedding: Path | None = None
    seconds: float = 0.0
    """How long the run took, once it has ended."""

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


class Curve:
    """Points (step, value) of a curve of any length, thinned evenly to at most ``most``."""

    def __init__(self, most: int = MOST_POINTS) -> None:
        self._most, self._every, self._seen = most, 1, 0
        self._points: list[tuple[int, float]] = []
        self._last: tuple[int, float] | None = None

    def add(self, step: int, value: float) -> None:
        self._last = (step, value)
        if self._seen % self._every == 0:
            self._points.append(self._last)
        self._seen += 1
        if len(self._points) >= self._most:
            self._points = self._points[::2]
            self._every *= 2

    def points(self) -> tuple[tuple[int, float], ...]:
        newest = [self._last] if self._last and self._points[-1] != self._last else []
        return (*self._points, *newest)


class Job:
    """One run in a thread of its own. All methods may be called from any thread."""

    def __init__(self, host: Host, config: TrainConfig, *, version: int, train: Train) -> None:
        self._host, self._config, self._train = host, config, train
        self._lock = threading.Lock()
        self._losses, self._evaluations = Curve(), Curve()
        self._begun = time.monotonic()
        self._now = Snapshot(
            version=version,
            state="waiting",
            name=config.name,
            settings=to_mapping(config),
            max_steps=config.max_steps,
        )
        self.control = Control()
        # A daemon, so that a program that is told to end does not wait for thousands of steps.
        self.thread = threading.Thread(target=self._run, name="textual-inversion", daemon=True)

    def snapshot(self) -> Snapshot:
        with self._lock:
            return replace(
                self._now,
                losses=self._losses.points(),
                evaluations=self._evaluations.points(),
                stopping=self._now.active and self.control.stop_requested,
            )

    def _run(self) -> None:
        try:
            self._train(self._host, self._config, self._listen, self.control)
        except Stopped as stopped:
            self._end("cancelled", (str(stopped),))
        except BadInput as error:
            self._fail(error.problems)
        except UserError as error:
            self._fail((str(error),))
        except Exception as error:
            logger.exception("The training of %s failed", self._config.name)
            self._fail(explain(error))
            self._log_traceback(error)

    def _listen(self, event: Event) -> None:
        with self._lock:
            self._now = replace(self._now, version=self._now.version + 1, **self._changes(event))

    def _changes(self, event: Event) -> dict[str, Any]:
        """What an event changes in the snapshot."""
        if isinstance(event, StepDone):
            return self._step(event)
        if isinstance(event, Progress):
            return {"state": "encoding", "done": event.done, "total": event.total}
        if isinstance(event, RunStarted):
            return {
                "state": "training",
                "folder": event.folder,
                "first_step": event.first_step,
                "step": event.first_step,
                "max_steps": event.max_steps,
                "notes": self._noted(Note(sentence(event) or "")),
            }
        if isinstance(event, Evaluated):
            self._evaluations.add(event.step, event.loss)
            return {"best_step": event.best_step, "overtraining": event.overtraining}
        if isinstance(event, Note):
            return {"notes": self._noted(event)}
        return self._results(event)

    def _results(self, event: Event) -> dict[str, Any]:
        if isinstance(event, Saved):
            return {"saved": event}
        if isinstance(event, PreviewMade):
            return {"previews": (*self._now.previews, event)[-MOST_PREVIEWS:]}
        if isinstance(event, PreviewFailed):
            return {"notes": self._noted(Note(sentence(event) or "", warning=True))}
        if isinstance(event, RunFinished):
            state = "done" if event.reason == "done" else "stopped"
            return {"state": state, "step": event.step, "embedding": event.embedding, "seconds": event.seconds}
        return {}

    def _step(self, event: StepDone) -> dict[str, Any]:
        if not event.skipped:
            self._losses.add(event.step, event.smoothed)
        return {
            "state": "training",
            "step": event.step,
            "max_steps": event.max_steps,
            "smoothed": event.smoothed,
            "rate": event.rate,
            "step_seconds": event.seconds,
            "seconds_left": event.seconds_left,
        }

    def _noted(self, note: Note) -> tuple[Note, ...]:
        return (*self._now.notes, note)[-MOST_NOTES:]

    def _fail(self, sentences: tuple[str, ...]) -> None:
        saved = self._now.saved
        self._end("failed", (*sentences, f"What was saved at step {saved.step} is whole.") if saved else sentences)

    def _end(self, state: State, sentences: tuple[str, ...]) -> None:
        with self._lock:
            self._now = replace(
                self._now,
                version=self._now.version + 1,
                state=state,
                errors=sentences,
                seconds=time.monotonic() - self._begun,
            )

    def _log_traceback(self, error: Exception) -> None:
        folder = self._now.folder
        if folder is not None and folder.is_dir():
            try:
                append_text(folder / "run.log", "".join(traceback.format_exception(error)))
            except UserError:
                logger.warning("The error could not be added to %s", folder / "run.log")


class Jobs:
    """The running job, or the last one: at most one runs at a time."""

    def __init__(self, train: Train = train_embedding) -> None:
        self._train = train
        self._lock = threading.Lock()
        self._job: Job | None = None

    def start(self, host: Host, config: TrainConfig) -> None:
        """Begin a run in the background.

        Raises
        ------
        TrainingFailed
            When one is running already, in whatever tab it was started.
        """
        with self._lock:
            now = self.snapshot()
            if now.active:
                raise TrainingFailed(
                    f"{now.name} is being trained already (step {now.step} of {now.max_steps}): wait until that has "
                    "ended, or press Interrupt."
                )
            self._job = Job(host, config, version=now.version + 1, train=self._train)
            self._job.thread.start()

    def snapshot(self) -> Snapshot:
        job = self._job
        return job.snapshot() if job else Snapshot()

    def stop(self) -> None:
        """Ask the run to end after the step in hand; what was reached is saved. Without a run nothing happens."""
        if self._job:
            self._job.control.stop()

    def save_now(self) -> None:
        if self._job:
            self._job.control.save_now()

    def preview_now(self) -> None:
        if self._job:
            self._job.control.preview_now()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the run; false when it goes on after ``timeout`` seconds."""
        job = self._job
        if job is None:
            return True
        job.thread.join(timeout)
        return not job.thread.is_alive()


JOBS = Jobs()
"""The process's own; the only state at module level, see above why."""


def explain(error: Exception) -> tuple[str, ...]:
    """An unexpected exception for a person: what happened, where, and what to do where that is known."""
    message = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "no message"
    place = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(place[-1].filename).name}, line {place[-1].lineno}, in {place[-1].name})" if place else ""
    said = f"{type(error).__name__}: {message}{where}."
    if out_of_memory(error):
        advice = (
            "The memory is full: choose a smaller Batch size or smaller Width and Height, switch Gradient "
            "checkpointing on, or close other programs that use the graphics card."
        )
        return (advice, said)
    return (f"An unexpected error ended it. {said}", "The whole traceback is in the console.")
