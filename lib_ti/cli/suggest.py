"""The command ``suggest``: words to start an embedding from."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from lib_ti.cli.arguments import add_settings, read_config
from lib_ti.cli.exit_codes import DONE
from lib_ti.cli.host import add_host, embedded_host
from lib_ti.cli.progress import Console, JsonLines
from lib_ti.config import SuggestConfig
from lib_ti.lazy import lazy
from lib_ti.signals import Control, Listener, LogMessage
from lib_ti.wording import printable

if TYPE_CHECKING:
    from lib_ti.training.suggest import initial_text
else:
    initial_text = lazy("lib_ti.training.suggest.initial_text")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write events as JSON lines, for programs")
    add_host(parser)
    add_settings(parser, SuggestConfig)


def suggest(arguments: argparse.Namespace, control: Control) -> int:
    config = read_config(SuggestConfig, arguments)
    listen: Listener = JsonLines() if arguments.json else Console()
    found = initial_text.suggest(embedded_host(arguments), config, listen, control)
    if arguments.json:
        line = json.dumps({"event": "Suggested", **asdict(found)}, ensure_ascii=False)
        sys.stdout.write(printable(line) + "\n")
    else:
        for line in found.describe():
            listen(LogMessage(line))
    return DONE
