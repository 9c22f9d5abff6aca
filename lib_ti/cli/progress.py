"""Output of a command: a progress bar and lines for people, or JSON lines for programs."""

from __future__ import annotations

import json
import shutil
import sys
import time
from typing import TextIO

from lib_ti.signals import Event, FileSkipped, Progress, StepDone, as_json
from lib_ti.training.files.run_logger import describe_event

REDRAW_SECONDS = 0.2
LINE_SECONDS = 10.0
"""Between two progress lines where the output is no terminal."""


class Console:
    """A listener that writes for people."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._terminal = self._out.isatty()
        self._last_drawn = 0.0
        self._width = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepDone):
            self._bar(_step_line(event), event.step == event.max_steps)
        elif isinstance(event, Progress):
            self._bar(f"{event.stage}: {event.done} of {event.total}", event.done == event.total)
        elif not isinstance(event, FileSkipped):  # a sentence about all of them follows
            line = describe_event(event)
            if line:
                self._clear()
                self._out.write(f"{line}\n")
                self._out.flush()

    def _bar(self, line: str, last: bool) -> None:
        now = time.monotonic()
        if not last and now - self._last_drawn < (REDRAW_SECONDS if self._terminal else LINE_SECONDS):
            return
        self._last_drawn = now
        if self._terminal:
            line = line[: shutil.get_terminal_size().columns - 1]
            self._out.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._out.write(line + "\n")
        self._out.flush()

    def _clear(self) -> None:
        if self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._width = 0


class JsonLines:
    """A listener that writes for programs: one JSON object a line."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def __call__(self, event: Event) -> None:
        self._out.write(json.dumps(as_json(event), ensure_ascii=False) + "\n")
        self._out.flush()


def _step_line(event: StepDone) -> str:
    done = event.step / event.max_steps
    bar = "█" * int(24 * done) + "░" * (24 - int(24 * done))
    left = _duration(event.seconds_left)
    skipped = "  skipped: loss was NaN/inf" if event.skipped else ""
    return (
        f"{bar} {event.step}/{event.max_steps}  loss {event.smoothed:.4f}  "
        f"{event.seconds:.3f} s/step  {left} left{skipped}"
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
