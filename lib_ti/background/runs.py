"""Training runs as background tasks: how one is started, and the snapshot that pages show of it."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lib_ti.background.kinds import MAKE_IT, RUN, TaskKind
from lib_ti.background.tasks import TASKS, BackgroundTasks, TaskContext, TaskStatus
from lib_ti.config import TrainConfig, to_mapping
from lib_ti.errors import Stopped, UserError
from lib_ti.host.base import Host
from lib_ti.lazy import lazy
from lib_ti.signals import Control, Event, Listener, LogMessage, RunFinished
from lib_ti.storage.atomic import append_text
from lib_ti.training.snapshot import ACTIVE, Snapshot, SnapshotBuilder

if TYPE_CHECKING:
    from lib_ti.training import run as training_run
else:
    training_run = lazy("lib_ti.training.run")

Train = Callable[..., RunFinished]
"""As :func:`lib_ti.training.run.train`."""

logger = logging.getLogger(__name__)


def train_embedding(
    host: Host, config: TrainConfig, listen: Listener, control: Control, *, new_data: bool = False
) -> RunFinished:
    """Call :func:`lib_ti.training.run.train`, which is imported by the first run and not by the WebUI's start."""
    return training_run.train(host, config, listen, control, new_data=new_data)


class Runs:
    """The runs among the background tasks: at most one is active. All methods may be called from any thread.

    The run of a Make it is one of them.
    """

    def __init__(self, tasks: BackgroundTasks = TASKS, train: Train = train_embedding) -> None:
        self._tasks, self._train = tasks, train

    def start(self, host: Host, config: TrainConfig, *, new_data: bool = False) -> None:
        """Start a run.

        Parameters
        ----------
        new_data
            Continue the embedding on another dataset, as the user confirmed.

        Raises
        ------
        Busy
            When a run is active already, whichever page started it.
        """
        train = partial(self._train, new_data=True) if new_data else self._train
        action = _RunAction(host, config, train)
        self._tasks.start(RUN, f"Training {config.name}", action, total=config.max_steps, detail=action.snapshot())

    def snapshot(self) -> Snapshot:
        """Return the snapshot of the active run, or of the last one."""
        status = self._tasks.status(self._kind())
        run = status.detail.run if status.kind == MAKE_IT else status.detail
        return _with_outcome(run, status) if run else Snapshot()

    def stop(self, by: str = "Interrupt") -> None:
        """Ask the run to end after the current step; what was reached is saved. Without a run nothing happens."""
        self._tasks.control(self._kind()).stop(by)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the run; false when it continues after ``timeout`` seconds."""
        return self._tasks.wait(timeout, self._kind())

    def save_now(self) -> None:
        self._tasks.control(self._kind()).save_now()

    def preview_now(self) -> None:
        self._tasks.control(self._kind()).preview_now()

    def _kind(self) -> TaskKind:
        """Return the kind of the task that the last run belongs to."""
        made = self._tasks.status(MAKE_IT)
        trains = made.detail is not None and made.detail.run is not None
        return MAKE_IT if trains and made.number > self._tasks.status(RUN).number else RUN


class _RunAction:
    """The function of a run's task: trains, and reports each event as a new snapshot."""

    def __init__(self, host: Host, config: TrainConfig, train: Train) -> None:
        self._host, self._config, self._train = host, config, train
        self._lock = threading.Lock()
        first = Snapshot(state="waiting", name=config.name, settings=to_mapping(config), max_steps=config.max_steps)
        self._builder = SnapshotBuilder(first)

    def snapshot(self) -> Snapshot:
        with self._lock:
            return self._builder.snapshot()

    def __call__(self, context: TaskContext) -> RunFinished:
        started = time.monotonic()

        def report() -> None:
            now = self.snapshot()
            context.report_detail(now, done=now.step, total=now.max_steps)

        def listen(event: Event) -> None:
            with self._lock:
                self._builder.add(event)
            report()

        try:
            finished = self._train(self._host, self._config, listen, context.control)
        except Exception as error:
            with self._lock:
                self._builder.change(stopped_by=context.control.stopped_by, seconds=time.monotonic() - started)
            report()
            if not isinstance(error, UserError):
                self._log_traceback(error)
            raise
        if finished.reason == "stopped":
            raise Stopped(f"The run was stopped after step {finished.step}; what was reached is saved.")
        return finished

    def _log_traceback(self, error: Exception) -> None:
        folder = self.snapshot().folder
        if folder is not None and folder.is_dir():
            try:
                append_text(folder / "run.log", "".join(traceback.format_exception(error)))
            except UserError:
                logger.warning("The error could not be added to %s", folder / "run.log")


def _with_outcome(run: Snapshot, status: TaskStatus) -> Snapshot:
    """Complete the snapshot of a run with what only its task knows: how it ended, its errors, a request to stop."""
    run = replace(run, version=status.version, stopping=status.state == "stopping")
    if status.state == "waiting" and status.message:
        return replace(run, notes=(LogMessage(status.message),))
    if status.state == "asking":
        return replace(run, state="asking", errors=status.errors)
    if status.state == "failed":
        kept = (f"What was saved at step {run.saved.step} is whole.",) if run.saved else ()
        return replace(run, state="failed", errors=(*status.errors, *kept))
    if status.state == "stopped" and run.state in ACTIVE:
        return replace(run, state="cancelled", errors=(status.message,))
    return run
