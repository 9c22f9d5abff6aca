"""Work on many pictures that a page begins and any page sees: looking over, preparing, captioning.

Like a training (:mod:`lib_ti.training.job`) it belongs to the process and to no page, and this module stays imported
when the WebUI builds its pages anew. One piece of work runs at a time; the last result of each kind is kept.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from lib_ti.errors import BadInput, Busy, Stopped, UserError, explain

State = Literal["idle", "running", "done", "stopped", "failed"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Now:
    """Everything a page shows of the work that runs, or ran last. ``version`` grows with every change."""

    version: int = 0
    kind: str = ""
    title: str = ""
    state: State = "idle"
    done: int = 0
    total: int = 0
    said: str = ""
    """What it waits for, or what came of it, in a sentence."""
    errors: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        return self.state == "running"


class Told:
    """What a piece of work is given: how it tells where it is, and how it hears that it should stop."""

    def __init__(self, change: Callable[..., None]) -> None:
        self._change = change
        self._stop = threading.Event()

    def progress(self, done: int, total: int) -> None:
        self._change(done=done, total=total)

    def tell(self, sentence: str) -> None:
        self._change(said=sentence)

    def stop(self) -> bool:
        return self._stop.is_set()

    def ask_to_stop(self) -> None:
        self._stop.set()


class Works:
    """The work that runs or ran last, and the last result of each kind. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = Now()
        self._told: Told | None = None
        self._thread: threading.Thread | None = None
        self._results: dict[str, Any] = {}

    def start(self, kind: str, title: str, action: Callable[[Told], Any]) -> None:
        """Begin a piece of work in a thread of its own; what it returns becomes the result of its ``kind``.

        Raises
        ------
        Busy
            When another one is running.
        """
        with self._lock:
            if self._now.running:
                raise Busy(f"{self._now.title} is still going on: wait until it has ended, or press Stop.")
            self._now = Now(self._now.version + 1, kind, title, "running")
            told = self._told = Told(self._change)
            # A daemon, so that a program that is told to end does not wait for a thousand pictures.
            self._thread = threading.Thread(target=self._run, args=(kind, action, told), daemon=True)
            self._thread.start()

    def now(self) -> Now:
        return self._now

    def result(self, kind: str) -> Any:
        """What the last finished work of that kind returned; None before there was one."""
        return self._results.get(kind)

    def stop(self) -> None:
        if self._told:
            self._told.ask_to_stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the work; false when it goes on after ``timeout`` seconds."""
        thread = self._thread
        if thread is None:
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def _run(self, kind: str, action: Callable[[Told], Any], told: Told) -> None:
        try:
            result = action(told)
        except Stopped as stopped:
            self._change(state="stopped", said=str(stopped))
        except BadInput as error:
            self._change(state="failed", errors=error.problems)
        except UserError as error:
            self._change(state="failed", errors=(str(error),))
        except Exception as error:
            logger.exception("%s failed", self._now.title)
            self._change(state="failed", errors=explain(error))
        else:
            self._results[kind] = result
            self._change(state="done", said="")

    def _change(self, **changes: Any) -> None:
        with self._lock:
            self._now = replace(self._now, version=self._now.version + 1, **changes)


WORKS = Works()
"""The process's own; see above why it is at module level."""
