"""Events of a run for those who watch it, and their requests to it.

The trainer emits an :class:`Event` for everything a user may want to know and never prints. A tab, a command
line or a test listens. The other way, a :class:`Control` carries the wishes of the user into the run; it is safe
to use from any thread.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lib_ti.wording import printable


@dataclass(frozen=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True)
class LogMessage(Event):
    """A sentence for the user: a skipped image, a choice that was made, a warning."""

    text: str
    warning: bool = False

    def __post_init__(self) -> None:
        # It may name files, whose names may contain any bytes.
        object.__setattr__(self, "text", printable(self.text))


@dataclass(frozen=True)
class FileSkipped(Event):
    """A file of the dataset is not trained on; ``name`` is its path from the dataset's folder.

    ``reason`` is the end of a sentence that begins with the name. For logs and programs: a :class:`LogMessage` sums up.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Progress(Event):
    """Progress of work with a known length, such as encoding the images: ``done`` of ``total``."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class PhaseStarted(Event):
    """A phase of a Make it begins: number ``number``, from 1, of ``total``; ``title`` says what it does."""

    phase: str
    title: str
    number: int
    total: int


@dataclass(frozen=True)
class PhaseFinished(Event):
    """A phase of a Make it is done; ``sentences`` say what came out of it."""

    phase: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class RunStarted(Event):
    """The run begins: after ``first_step`` finished steps, towards ``max_steps``."""

    name: str
    folder: Path
    first_step: int
    max_steps: int
    images: int
    validation_images: int
    resumed: bool


@dataclass(frozen=True)
class StepDone(Event):
    """One optimizer step. ``loss`` is of this step, ``smoothed`` its running mean, ``seconds`` per step (running mean).

    ``skipped`` is true when the step's loss or gradient was not finite and the vectors were not updated. ``norms`` are
    those of all vectors after it, those of the first text encoder first.
    """

    step: int
    max_steps: int
    loss: float
    smoothed: float
    learning_rate: float
    seconds: float
    skipped: bool = False
    norms: tuple[float, ...] = ()

    @property
    def seconds_left(self) -> float:
        return (self.max_steps - self.step) * self.seconds


@dataclass(frozen=True)
class Evaluated(Event):
    """The validation loss was computed at ``step``; the other fields compare it with the checks since ``first_step``.

    ``best_step`` is None while no loss was finite, ``gained`` None after a single check. ``overtraining`` is a
    sentence, empty for none; it, ``state``, ``headline``, ``reason`` and ``done_step`` are the verdict's, see
    :class:`lib_ti.training.validation.verdict.Verdict`. ``error`` is the standard error of the difference from the best
    check before it, ``no_keyword`` the loss of the same samples without the embedding, None where it was not measured.
    """

    step: int
    loss: float
    first_step: int
    first_loss: float
    best_step: int | None
    best_loss: float | None
    gained: bool | None
    overtraining: str
    state: str = "unknown"
    headline: str = ""
    reason: str = ""
    done_step: int | None = None
    error: float = 0.0
    no_keyword: float | None = None


@dataclass(frozen=True)
class Saved(Event):
    """Files were written and verified."""

    step: int
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class PreviewStarted(Event):
    """A preview is being generated, which takes as long as any image; it is of prompt ``number`` of ``total``."""

    step: int
    number: int = 1
    total: int = 1


@dataclass(frozen=True)
class PreviewMade(Event):
    """A preview was written; it is of prompt ``number``, from 1."""

    step: int
    path: Path
    prompt: str
    seed: int
    number: int = 1


@dataclass(frozen=True)
class PreviewFailed(Event):
    """A preview could not be generated, that of prompt ``number`` of ``total``; training continues."""

    step: int
    reason: str
    number: int = 1
    total: int = 1


@dataclass(frozen=True)
class RunFinished(Event):
    """The run ended. ``reason`` is ``"done"`` or ``"stopped"``, by ``stopped_by``.

    ``steps`` and ``seconds`` count all sessions of the run. ``remark`` is a sentence about what the run gained, empty
    for none. ``restored_step`` is the step of the embedding where the best one was restored, else None.
    """

    step: int
    reason: str
    embedding: Path
    folder: Path
    best_step: int | None
    seconds: float
    steps: int = 0
    stopped_by: str = ""
    remark: str = ""
    restored_step: int | None = None


Listener = Callable[[Event], None]


def as_json(event: Event) -> dict[str, Any]:
    """Return the event as plain data with its kind under ``"event"``: ``{"event": "StepDone", "step": 1, …}``."""

    def plain(value: Any) -> Any:
        if isinstance(value, Path | str):
            return printable(value)
        if isinstance(value, tuple | list):
            return [plain(item) for item in value]
        # JSON has no NaN and no infinity.
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {"event": type(event).__name__, **{key: plain(value) for key, value in asdict(event).items()}}


class Control:
    """Requests to a run: stop, save now, preview now. Thread-safe.

    A request for a save or a preview is handled once, by the ``take_*`` call that returns True; a request to stop
    stays.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._save = threading.Event()
        self._preview = threading.Event()
        self.stopped_by = ""
        """What asked first, such as ``"Ctrl-C"`` or a button; may be empty."""

    def stop(self, by: str = "") -> None:
        """Ask the run to end after the current step; its state is saved."""
        if not self._stop.is_set():
            self.stopped_by = by
        self._stop.set()

    def save_now(self) -> None:
        self._save.set()

    def preview_now(self) -> None:
        self._preview.set()

    @property
    def stop_requested(self) -> bool:
        return self._stop.is_set()

    def take_save(self) -> bool:
        return self._take(self._save)

    def take_preview(self) -> bool:
        return self._take(self._preview)

    @staticmethod
    def _take(request: threading.Event) -> bool:
        if request.is_set():
            request.clear()
            return True
        return False
