"""The command ``caption``: captions for a folder of pictures."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from lib_ti.cli.arguments import add_settings, read_config
from lib_ti.cli.exit_codes import DONE
from lib_ti.cli.host import add_host, embedded_host
from lib_ti.cli.progress import Console, JsonLines
from lib_ti.config import CaptionConfig
from lib_ti.paths import as_path
from lib_ti.signals import Control, Listener, LogMessage, Progress
from lib_ti.wording import printable


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="the pictures; captions are written beside them")
    parser.add_argument("--json", action="store_true", help="write events as JSON lines, for programs")
    add_host(parser, "captioner-dir", "device")
    add_settings(parser, CaptionConfig)


def caption(arguments: argparse.Namespace, control: Control) -> int:
    from lib_ti.prep.captions.captioning import caption_with_host

    config = read_config(CaptionConfig, arguments)
    listen: Listener = JsonLines() if arguments.json else Console()
    done = caption_with_host(
        embedded_host(arguments),
        as_path(arguments.folder, "FOLDER"),
        config,
        report=lambda text: listen(LogMessage(text)),
        progress=lambda finished, total: listen(Progress("Captioning", finished, total)),
        stop=lambda: control.stop_requested,
    )
    if arguments.json:
        line = json.dumps({"event": "Captioned", **asdict(done)}, ensure_ascii=False, default=str)
        sys.stdout.write(printable(line) + "\n")
    else:
        for line in done.describe():
            listen(LogMessage(line))
    return DONE
