"""Our turn in the WebUI's queue: one job at a time uses the model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from modules import call_queue, shared

from lib_ti.errors import Busy, Stopped

JOB = "textual-inversion"
"""The name of our job in the WebUI's state."""
_CHECK_SECONDS = 0.2
"""Seconds between two checks whether a waiting run is still wanted."""


@contextmanager
def turn(
    report: Callable[[str], None] | None, stop: Callable[[], bool] | None = None, *, wait: bool = True
) -> Iterator[None]:
    """Take our turn in the WebUI's queue, as a job that all its pages show.

    Raises
    ------
    Busy
        At once, when it is not our turn and we do not ``wait``.
    Stopped
        When ``stop`` returned True before it was our turn.
    """
    queue = call_queue.queue_lock
    if not queue.acquire(blocking=False):
        if not wait:
            raise Busy("The WebUI is using the model right now: try again once it has finished.")
        if report:
            report("Waiting until the WebUI has finished what it is doing.")
        _queue_up(queue, stop or (lambda: False))
    state = shared.state
    try:
        state.begin(job=JOB)
        state.job_count = 1
        state.textinfo = "Textual Inversion: preparing"
        yield
    finally:
        try:
            state.end()
            _idle(state)
        finally:
            queue.release()


def _queue_up(queue: Any, stop: Callable[[], bool]) -> None:
    """Take the lock when it is our turn.

    Waiting for the WebUI's lock cannot be ended, so a thread does it; after ``stop``, it releases the lock at once.
    """
    decided = threading.Lock()
    given_up = False
    acquired = threading.Event()

    def wait() -> None:
        queue.acquire()
        with decided:
            if given_up:
                queue.release()
            else:
                acquired.set()

    threading.Thread(target=wait, name="textual-inversion-turn", daemon=True).start()
    while not acquired.wait(_CHECK_SECONDS):
        if stop():
            with decided:
                if not acquired.is_set():
                    given_up = True
                    raise Stopped("It was still waiting for its turn; nothing was changed.")


def _idle(state: Any) -> None:
    state.skipped = state.interrupted = state.stopping_generation = False
    state.job_no = state.sampling_step = state.sampling_steps = 0
    state.textinfo = state.current_image = state.current_latent = None
