"""The command line: exit codes are 0 done, 1 failed, 2 bad input, 130 stopped by the user."""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from lib_ti.cli.parser import create_parser
from lib_ti.errors import ErrorReport, UserError, describe_error
from lib_ti.signals import Control


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = create_parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        # Consoles that know few characters, as on Windows, must not end a run.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace", encoding="utf-8" if getattr(arguments, "json", False) else None)
    control = Control()
    try:
        with _stopping(control):
            return int(arguments.run(arguments, control))
    except (UserError, OSError, KeyboardInterrupt) as error:
        report = describe_error(error)
        _print_errors(report, as_json=getattr(arguments, "json", False))
        return report.exit_code


def _print_errors(report: ErrorReport, *, as_json: bool) -> None:
    if as_json and report.sentences:
        content = {"event": "Error", "problems": report.sentences, "exit_code": report.exit_code}
        sys.stdout.write(json.dumps(content) + "\n")
        return
    for sentence in report.sentences:
        sys.stderr.write(f"error: {sentence}\n")


@contextmanager
def _stopping(control: Control) -> Iterator[None]:
    """The first Ctrl-C asks the run to stop after its step, a second one ends it at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        if control.stop_requested:
            raise KeyboardInterrupt
        control.stop("Ctrl-C" if number == signal.SIGINT else "a signal to terminate")
        sys.stderr.write("\nStopping after this step; press Ctrl-C again to end at once.\n")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
