"""The option ``train --check``: everything that speaks for or against a run, without starting it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lib_ti.cli.arguments import read_config
from lib_ti.cli.exit_codes import DONE, FAILED, STOPPED
from lib_ti.cli.host import embedded_host
from lib_ti.cli.progress import Console, JsonLines
from lib_ti.config import TrainConfig
from lib_ti.errors import BadInput
from lib_ti.lazy import lazy
from lib_ti.signals import Control, Listener, LogMessage, Progress
from lib_ti.wording import printable

if TYPE_CHECKING:
    from lib_ti.training import check as checking
    from lib_ti.training.checks import findings
else:
    checking, findings = lazy("lib_ti.training.check"), lazy("lib_ti.training.checks.findings")

HEADINGS = {"error": "Problems", "warning": "Warnings", "good": "Good", "info": "Notes"}


def check(arguments: argparse.Namespace, control: Control) -> int:
    """Print all findings about a run; fails when one of them is an error."""
    listen: Listener = JsonLines() if arguments.json else Console()
    try:
        config = read_config(TrainConfig, arguments, lambda text: listen(LogMessage(text)))
        found = checking.check_run(
            embedded_host(arguments),
            config,
            new_data=arguments.new_data,
            progress=lambda done, total: listen(Progress("Reading images", done, total)),
        )
    except BadInput as error:
        found = [findings.Finding("error", problem) for problem in error.problems]
    if control.stop_requested:
        return STOPPED
    (_print_json if arguments.json else _print)(found)
    return FAILED if any(finding.kind == "error" for finding in found) else DONE


def _print_json(found: Sequence[findings.Finding]) -> None:
    for finding in found:
        line = {"event": "Finding", "kind": finding.kind, "text": finding.text}
        sys.stdout.write(printable(json.dumps(line, ensure_ascii=False)) + "\n")


def _print(found: Sequence[findings.Finding]) -> None:
    for kind, heading in HEADINGS.items():
        texts = [finding.text for finding in found if finding.kind == kind]
        if texts:
            lines = "".join(f"  - {printable(text)}\n" for text in texts)
            sys.stdout.write(f"{heading}:\n{lines}")
