"""The command ``caption``: captions for a folder of images."""

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
from lib_ti.config import CaptionConfig
from lib_ti.lazy import lazy
from lib_ti.paths import as_path
from lib_ti.signals import Control, Listener, LogMessage, Progress
from lib_ti.wording import printable

if TYPE_CHECKING:
    from lib_ti.prep.captions import captioning
else:
    captioning = lazy("lib_ti.prep.captions.captioning")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="the images; captions are written beside them")
    parser.add_argument("--json", action="store_true", help="write events as JSON lines, for programs")
    add_host(parser, "captioner-dir", "captioners-dir", "device")
    add_settings(parser, CaptionConfig)


def caption(arguments: argparse.Namespace, control: Control) -> int:
    config = read_config(CaptionConfig, arguments)
    listen: Listener = JsonLines() if arguments.json else Console()
    done = captioning.caption_with_host(
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
