"""The check that runs by itself after a change of settings: what is found without the model. Knows no Gradio."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib_ti.background.tasks import BackgroundTasks
from lib_ti.errors import Stopped
from lib_ti.training.checks.findings import Finding
from lib_ti.ui.attempt import attempt
from lib_ti.ui.train import view

DELAY = 0.6
"""Seconds without a change after which a check begins."""
_NEEDED = ("name", "dataset")
"""Settings without which there is nothing to check yet."""
_MOST_PAGES = 32

Check = Callable[[Mapping[str, Any], Callable[[int, int], None]], Sequence[Finding]]
"""From settings to findings; calls its second argument now and then, which may raise to stop it."""


@dataclass
class _Page:
    """A page in a browser. ``values`` identifies its settings, ``shown_values`` those that the result is of."""

    values: str = ""
    shown: str = ""
    shown_values: str = ""
    stop: threading.Event = field(default_factory=threading.Event)
    """Ends the check in progress."""
    active: bool = False


class AutomaticChecks:
    """At most one check for each page. Thread-safe.

    None begins while a task is active, and one in progress ends when a task begins.
    """

    def __init__(self, tasks: BackgroundTasks, check: Check) -> None:
        self._tasks, self._check = tasks, check
        self._lock = threading.Lock()
        self._pages: OrderedDict[str, _Page] = OrderedDict()

    def changed(self, page: str, settings: Mapping[str, Any], *, again: bool = False) -> str:
        """Return what the page shows of a check of its settings, which begins where it is not in progress or done.

        Parameters
        ----------
        again
            Something else than the settings may have changed, such as a file.
        """
        values = repr(sorted(settings.items()))
        with self._lock:
            one = self._page(page)
            if values != one.values or again:
                self._begin(one, values, settings)
            if one.active:
                return view.checking(one.shown)
            return one.shown if one.shown_values == one.values else view.outdated(one.shown)

    def show(self, page: str, settings: Mapping[str, Any], shown: str) -> None:
        """Take note of what the page shows in the place of an automatic check: the result of a button."""
        with self._lock:
            one = self._page(page)
            one.stop.set()
            one.active, one.shown, one.stop = False, shown, threading.Event()
            one.values = one.shown_values = repr(sorted(settings.items()))

    def _page(self, name: str) -> _Page:
        one = self._pages.setdefault(name, _Page())
        self._pages.move_to_end(name)
        if len(self._pages) > _MOST_PAGES:
            self._pages.popitem(last=False)[1].stop.set()
        return one

    def _begin(self, one: _Page, values: str, settings: Mapping[str, Any]) -> None:
        one.stop.set()
        one.values, one.active, one.stop = values, False, threading.Event()
        if not all(str(settings.get(name) or "").strip() for name in _NEEDED):
            one.shown = ""
        elif not self._busy():
            one.active = True
            work = threading.Thread(
                target=self._run, args=(one, one.stop, dict(settings)), name="ti-automatic-check", daemon=True
            )
            work.start()
        else:
            one.values = ""  # to be checked when the task has ended

    def _run(self, one: _Page, stop: threading.Event, settings: Mapping[str, Any]) -> None:
        def stop_when_unwanted(done: int = 0, total: int = 0) -> None:
            del done, total
            if stop.is_set() or self._busy():
                raise Stopped("A newer check, or a task, takes its place.")

        def check() -> str:
            try:
                stop_when_unwanted()
                return view.folded_check(self._check(settings, stop_when_unwanted))
            except Stopped:
                return ""

        shown = "" if stop.wait(DELAY) else "".join(filter(None, attempt(check)))
        with self._lock:
            if one.stop is not stop:
                return
            one.active = False
            if not shown:
                one.values = ""
            else:
                one.shown, one.shown_values = shown, one.values

    def _busy(self) -> bool:
        return any(self._tasks.lane_status(lane).active for lane in ("model", "dataset"))
