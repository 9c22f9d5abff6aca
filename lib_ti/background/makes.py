"""Make it as a background task, with the snapshot that pages show of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lib_ti.background.kinds import MAKE_IT
from lib_ti.background.tasks import TASKS, BackgroundTasks, TaskContext, TaskStatus
from lib_ti.config import MakeConfig
from lib_ti.host.base import Host
from lib_ti.lazy import lazy
from lib_ti.signals import Event

if TYPE_CHECKING:
    from lib_ti.make_it import pipeline, snapshot
    from lib_ti.make_it.state import MakeState
else:
    pipeline, snapshot = lazy("lib_ti.make_it.pipeline"), lazy("lib_ti.make_it.snapshot")


class Makes:
    """The Make its among the background tasks: at most one is active. All methods may be called from any thread."""

    def __init__(self, tasks: BackgroundTasks = TASKS) -> None:
        self._tasks = tasks

    def start(self, host: Host, config: MakeConfig, incoming: Sequence[Path] = ()) -> None:
        """Start a Make it; see :func:`lib_ti.make_it.pipeline.make_it`.

        Raises
        ------
        Busy
            When a run, another Make it or a contact sheet is in progress.
        """
        action = _MakeAction(host, config, incoming)
        self._tasks.start(MAKE_IT, f"Making {config.keyword}", action, detail=action.snapshot())

    def status(self) -> TaskStatus:
        """Return the status of the active Make it, or of the last one; its detail is a
        :class:`lib_ti.make_it.snapshot.MakeSnapshot`."""
        return self._tasks.status(MAKE_IT)

    def stop(self, by: str = "Interrupt") -> None:
        """Ask it to end; everything so far is kept."""
        self._tasks.control(MAKE_IT).stop(by)


class _MakeAction:
    """The function of the task: reports each event as a new snapshot."""

    def __init__(self, host: Host, config: MakeConfig, incoming: Sequence[Path]) -> None:
        self._host, self._config, self._incoming = host, config, tuple(incoming)
        self._lock = threading.Lock()
        self._builder = snapshot.MakeSnapshotBuilder(config)

    def snapshot(self) -> snapshot.MakeSnapshot:
        with self._lock:
            return self._builder.snapshot()

    def __call__(self, context: TaskContext) -> MakeState:
        def listen(event: Event) -> None:
            with self._lock:
                self._builder.add(event)
            context.report_detail(self.snapshot())

        made = pipeline.make_it(self._host, self._config, listen, context.control, incoming=self._incoming)
        with self._lock:
            self._builder.finish(made)
        context.report_detail(self.snapshot())
        return made
