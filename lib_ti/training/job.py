"""The one training that may run in this process: started by a tab, watched by any number of them.

A run belongs to the process and to no browser tab: pages are closed, the WebUI's "Reload UI" builds its tabs anew, and
the run goes on and is found again, because this module stays imported and :data:`JOBS` with it.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from lib_ti.atomic import append_text
from lib_ti.config import TrainConfig, to_mapping
from lib_ti.errors import BadInput, Busy, NeedsConsent, Stopped, UserError, explain
from lib_ti.host.base import Host
from lib_ti.signals import Control, Event, Listener, RunFinished
from lib_ti.training.snapshot import Gatherer, Snapshot, State

Train = Callable[..., RunFinished]
"""As :func:`lib_ti.training.run.train`."""

logger = logging.getLogger(__name__)


def train_embedding(
    host: Host, config: TrainConfig, listen: Listener, control: Control, *, new_data: bool = False
) -> RunFinished:
    """:func:`lib_ti.training.run.train`, which is imported by the first run and not by the WebUI's start."""
    from lib_ti.training.run import train

    return train(host, config, listen, control, new_data=new_data)


class Job:
    """One run in a thread of its own. All methods may be called from any thread."""

    def __init__(self, host: Host, config: TrainConfig, *, version: int, train: Train) -> None:
        self._host, self._config, self._train = host, config, train
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        settings = to_mapping(config)
        self._gathered = Gatherer(Snapshot(version, "waiting", config.name, settings, max_steps=config.max_steps))
        self.control = Control()
        # A daemon, so that a program that is told to end does not wait for thousands of steps.
        self.thread = threading.Thread(target=self._run, name="textual-inversion", daemon=True)

    def snapshot(self) -> Snapshot:
        with self._lock:
            now = self._gathered.snapshot()
        return replace(now, stopping=now.active and self.control.stop_requested)

    def _run(self) -> None:
        try:
            self._train(self._host, self._config, self._listen, self.control)
        except Stopped as stopped:
            self._end("cancelled", (str(stopped),))
        except NeedsConsent as question:
            self._end("asking", question.problems)
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
            self._gathered.add(event)

    def _fail(self, sentences: tuple[str, ...]) -> None:
        saved = self.snapshot().saved
        self._end("failed", (*sentences, f"What was saved at step {saved.step} is whole.") if saved else sentences)

    def _end(self, state: State, sentences: tuple[str, ...]) -> None:
        with self._lock:
            self._gathered.change(
                state=state,
                errors=sentences,
                stopped_by=self.control.stopped_by,
                seconds=time.monotonic() - self._begun,
            )

    def _log_traceback(self, error: Exception) -> None:
        folder = self.snapshot().folder
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

    def start(self, host: Host, config: TrainConfig, *, new_data: bool = False) -> None:
        """Begin a run in the background.

        Parameters
        ----------
        new_data
            The user agreed to continue on another dataset.

        Raises
        ------
        Busy
            When one is running already, in whatever tab it was started.
        """
        with self._lock:
            now = self.snapshot()
            if now.active:
                raise Busy(
                    f"{now.name} is being trained already (step {now.step} of {now.max_steps}): wait until that has "
                    "ended, or press Interrupt."
                )
            train = partial(self._train, new_data=True) if new_data else self._train
            self._job = Job(host, config, version=now.version + 1, train=train)
            self._job.thread.start()

    def snapshot(self) -> Snapshot:
        job = self._job
        return job.snapshot() if job else Snapshot()

    def stop(self, by: str = "Interrupt") -> None:
        """Ask the run to end after the step in hand; what was reached is saved. Without a run nothing happens."""
        if self._job:
            self._job.control.stop(by)

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
