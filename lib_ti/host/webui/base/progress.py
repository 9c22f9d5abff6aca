"""A run in the WebUI's progress bar, and the WebUI's Interrupt buttons in a run."""

from __future__ import annotations

import time
from typing import Any

from modules import shared

from lib_ti.host.webui.base import turn
from lib_ti.signals import Event, PreviewStarted, RunStarted, StepDone

ELSEWHERE = "Interrupt, Skip or Stop elsewhere in the WebUI (another tab, a script or the API)"
_RELOAD_SECONDS = 0.5
"""Time that Reload UI takes at most from its interrupt to closing the page's server."""


class Progress:
    """The WebUI's ``state`` as a run reads and writes it."""

    def __init__(self) -> None:
        self._first_step = 0

    def watch(self, event: Event) -> None:
        """Show the run where the WebUI shows its jobs.

        All of it is set at each step, since other parts of the WebUI begin jobs of theirs without waiting for the
        queue. The counts are those of this session, so that the time left is right for a resumed run, too.
        """
        state = shared.state
        if isinstance(event, PreviewStarted):
            state.textinfo = f"Textual Inversion: generating a preview at step {event.step}"
        if not isinstance(event, RunStarted | StepDone):
            return
        if isinstance(event, RunStarted):
            self._first_step = event.first_step
            state.time_start = time.time()
        else:
            state.job_no = event.step - self._first_step
            # A line break would keep the WebUI's page from showing it.
            state.textinfo = f"Textual Inversion: step {event.step} of {event.max_steps}, loss {event.smoothed:.4f}"
        state.job = turn.JOB
        state.job_count = max(1, event.max_steps - self._first_step)

    def interrupted(self) -> str:
        """Return :data:`ELSEWHERE` after Interrupt, Skip or Stop; not after Reload UI, which sets the same flags."""
        state = shared.state
        if not (state.interrupted or state.stopping_generation or state.skipped):
            return ""
        if _reloading():
            state.interrupted = False
            return ""
        return ELSEWHERE


def _reloading() -> bool:
    """Return True when the interrupt came from Reload UI, which closes the server of the page right after it."""
    until = time.monotonic() + _RELOAD_SECONDS
    while time.monotonic() < until:
        if shared.state.server_command == "restart" or _closing(shared.demo):
            return True
        time.sleep(0.02)
    return False


def _closing(page: Any) -> bool:
    server = getattr(page, "server", None)
    return page is not None and (not getattr(page, "is_running", True) or bool(getattr(server, "should_exit", False)))
