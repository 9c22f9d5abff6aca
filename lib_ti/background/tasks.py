"""One runner for everything that takes long: training runs, inspection, preparation, captioning, contact sheets.

A task belongs to the process and not to a browser page: pages are closed, the WebUI's "Reload UI" rebuilds its tabs,
and the task continues and is found again, because this module stays imported and :data:`TASKS` with it.

The busy rule: each kind of task has a lane, and a lane runs one task at a time. The lane ``"model"`` is for what keeps
the model for itself (a run, a contact sheet), the lane ``"dataset"`` for what reads or writes many images (inspecting,
cropping, preparing, captioning, removing). Tasks of different lanes run side by side, so that a dataset can be prepared
while a run is in progress. A dataset task that needs a model asks the host for it, which lets it wait or refuses it.
A run may be started while a contact sheet is in progress, and waits for it; everything else is refused: see
:func:`admit`, where a queue belongs.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from lib_ti.background.kinds import Lane, TaskKind
from lib_ti.errors import Busy, Stopped, describe_error
from lib_ti.signals import Control

State = Literal["idle", "waiting", "running", "stopping", "done", "stopped", "failed", "asking"]
"""``idle``: there was no task yet. ``asking``: nothing was started, because the user must agree first; ``errors`` holds
the question."""
ACTIVE: tuple[State, ...] = ("waiting", "running", "stopping")
_POLL_SECONDS = 0.2
"""Interval at which a waiting task checks whether it should stop."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TaskStatus:
    """The state of a task at one moment. ``version`` grows with every change of any task."""

    version: int = 0
    number: int = 0
    """Number of the task; 0 without a task."""
    kind: TaskKind | None = None
    title: str = ""
    state: State = "idle"
    done: int = 0
    total: int = 0
    message: str = ""
    """A sentence on what it waits for or does, or why it was stopped."""
    errors: tuple[str, ...] = ()
    detail: Any = None
    """Data of the task's own kind, such as the snapshot of a run."""
    running_since: float = 0.0
    """Time of :func:`time.monotonic` at which it began to run."""

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def seconds_left(self) -> float:
        """Estimate of the remaining time from the time so far; 0 while there is none."""
        if not (self.active and self.running_since and self.done and self.total):
            return 0.0
        return (time.monotonic() - self.running_since) * max(0, self.total - self.done) / self.done


class TaskContext:
    """Handed to the function of a task, to report progress and to check for a request to stop."""

    def __init__(self, change: Callable[..., None], control: Control | None = None) -> None:
        self._change = change
        self.control = control or Control()

    def report_progress(self, done: int, total: int) -> None:
        self._change(done=done, total=total)

    def report_message(self, sentence: str) -> None:
        self._change(message=sentence)

    def report_detail(self, detail: Any, **changes: Any) -> None:
        self._change(detail=detail, **changes)

    def stop_requested(self) -> bool:
        return self.control.stop_requested


Action = Callable[[TaskContext], Any]
"""The function of a task. It runs in a thread of its own and may raise :class:`Stopped`."""


class Task:
    """A task and its thread; changed by :class:`BackgroundTasks` only."""

    def __init__(self, kind: TaskKind, status: TaskStatus) -> None:
        self.kind, self.control = kind, Control()
        self.reported = status
        self.ended = threading.Event()
        self.thread: threading.Thread | None = None

    def status(self) -> TaskStatus:
        now = self.reported
        return replace(now, state="stopping") if now.active and self.control.stop_requested else now

    def describe(self) -> str:
        """Return the beginning of a sentence: that the task is in progress, and its progress."""
        now = self.reported
        if not now.total:
            return f"{now.title} is in progress"
        unit = f"{self.kind.unit} " if self.kind.unit else ""
        return f"{now.title} is in progress ({unit}{now.done} of {now.total})"


def admit(kind: TaskKind | None, active: Iterable[Task]) -> Task | None:
    """Decide whether a task may start while others are active in its lane; ``kind`` is None for an
    action that is not a task.

    Returns the task to wait for; None when it may start at once. At most one task waits, and only of a kind that may. A
    queue of several runs belongs here.

    Raises
    ------
    Busy
        When it may not start; the sentence names the task in progress.
    """
    tasks = list(active)
    if not tasks:
        return None
    if kind and kind.may_wait and all(task.kind != kind for task in tasks):
        return tasks[-1]
    ahead = tasks[0]
    raise Busy(f"{ahead.describe()}: wait until it has ended, or {ahead.kind.how_to_stop}.", ahead.reported.number)


class BackgroundTasks:
    """The last task and the last result of each kind. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions = itertools.count(1)
        self._tasks: dict[str, Task] = {}
        """The last task of each kind; a kind has at most one active task, so all active ones are here."""
        self._results: dict[str, Any] = {}

    def start(self, kind: TaskKind, title: str, action: Action, *, total: int = 0, detail: Any = None) -> None:
        """Start a task in its own thread; the return value of ``action`` becomes the result of its kind.

        Parameters
        ----------
        title
            A noun phrase that begins a sentence: "Captioning cats".
        total, detail
            Values of its status before its first report.

        Raises
        ------
        Busy
            When its lane is taken, see :func:`admit`.
        """
        with self._lock:
            ahead = admit(kind, self._active(kind.lane))
            version = next(self._versions)
            task = Task(kind, TaskStatus(version, version, kind, title, "waiting", total=total, detail=detail))
            self._tasks[kind.name] = task
            # A daemon, so that a program that is ending does not wait for thousands of steps.
            arguments = (task, action, ahead)
            task.thread = threading.Thread(target=self._run, args=arguments, name=f"ti-{kind.name}", daemon=True)
            task.thread.start()

    def status(self, kind: TaskKind) -> TaskStatus:
        """Return the status of the active or last task of a kind."""
        task = self._tasks.get(kind.name)
        return task.status() if task else TaskStatus()

    def lane_status(self, lane: Lane) -> TaskStatus:
        """Return the status of the active task of a lane, or else of the last one."""
        found = [task.status() for task in list(self._tasks.values()) if task.kind.lane == lane]
        running = [status for status in found if status.active]
        first = min(running, key=lambda status: status.number, default=None)
        return first or max(found, key=lambda status: status.version, default=TaskStatus())

    def result(self, kind: TaskKind) -> Any:
        """Return the result of the last finished task of a kind; None without one."""
        return self._results.get(kind.name)

    def is_active(self, number: int) -> bool:
        """Whether the task of that number is waiting or running."""
        return any(task.reported.number == number and task.reported.active for task in list(self._tasks.values()))

    def check_free(self, lane: Lane) -> None:
        """Raise :class:`Busy` when a task is active in a lane."""
        with self._lock:
            admit(None, self._active(lane))

    def control(self, kind: TaskKind) -> Control:
        """Return the control of the active or last task of a kind; requests have no effect without one."""
        task = self._tasks.get(kind.name)
        return task.control if task else Control()

    def wait(self, timeout: float | None = None, kind: TaskKind | None = None) -> bool:
        """Wait for the end of all tasks, or of one kind; false when one continues after ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            threads = [task.thread for task in self._tasks.values() if task.thread and kind in (None, task.kind)]
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _active(self, lane: Lane) -> list[Task]:
        """The active tasks of a lane in the order in which they were started."""
        found = [task for task in self._tasks.values() if task.kind.lane == lane and task.reported.active]
        return sorted(found, key=lambda task: task.reported.number)

    def _run(self, task: Task, action: Action, ahead: Task | None) -> None:
        def change(**changes: Any) -> None:
            self._change(task, **changes)

        try:
            if ahead:
                change(message=f"Waiting until the task in progress has ended: {ahead.reported.title}.")
                _wait_for(ahead, task.control)
            change(state="running", message="", running_since=time.monotonic())
            result = action(TaskContext(change, task.control))
        except Exception as error:
            report = describe_error(error)
            if report.unexpected:
                logger.exception("%s failed", task.reported.title)
            stopped = report.outcome == "stopped"
            message, errors = (" ".join(report.sentences), ()) if stopped else ("", report.sentences)
            change(state=report.outcome, message=message, errors=errors)
        else:
            self._results[task.kind.name] = result
            change(state="done", message="")
        finally:
            task.ended.set()

    def _change(self, task: Task, **changes: Any) -> None:
        with self._lock:
            task.reported = replace(task.reported, version=next(self._versions), **changes)


def _wait_for(ahead: Task, control: Control) -> None:
    while not ahead.ended.wait(_POLL_SECONDS):
        if control.stop_requested:
            raise Stopped("It was still waiting for its turn; nothing was changed.")


TASKS = BackgroundTasks()
"""The tasks of this process; see above why they are at module level."""
