"""The command ``make``: from images to a keyword in one go."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lib_ti.cli.arguments import add_settings, read_config
from lib_ti.cli.exit_codes import DONE
from lib_ti.cli.host import MODEL, add_host, embedded_host
from lib_ti.cli.progress import Console, JsonLines
from lib_ti.config import MakeConfig
from lib_ti.errors import BadInput
from lib_ti.lazy import lazy
from lib_ti.paths import as_path
from lib_ti.signals import Control, Listener
from lib_ti.wording import printable, quoted

if TYPE_CHECKING:
    from lib_ti.embedding import names
    from lib_ti.make_it import comparison, pipeline
else:
    comparison = lazy("lib_ti.make_it.comparison")
    names = lazy("lib_ti.embedding.names")
    pipeline = lazy("lib_ti.make_it.pipeline")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("images", nargs="+", metavar="IMAGES", help="a folder of images; or images and zips of images")
    parser.add_argument("--json", action="store_true", help="write events as JSON lines, for programs")
    for kind in ("style", "subject"):
        parser.add_argument(
            f"--{kind}", dest="setting_kind", action="store_const", const=kind, default=argparse.SUPPRESS,
            help=f"the same as --kind {kind}",
        )  # fmt: skip
    add_host(parser, *MODEL, "captioner-dir", "captioners-dir", "upscalers-dir")
    add_settings(parser, MakeConfig, hidden=("images",))


def make(arguments: argparse.Namespace, control: Control) -> int:
    listen: Listener = JsonLines() if arguments.json else Console()
    host = embedded_host(arguments)
    given = [as_path(text, "IMAGES") for text in arguments.images]
    keyword = str(getattr(arguments, "setting_keyword", ""))
    folders = [path for path in given if path.is_dir()]
    if folders and len(given) > 1:
        raise BadInput(f"{quoted(folders[0])} is a folder: give one folder alone, or files alone.")
    is_folder = bool(folders) or (len(given) == 1 and not given[0].exists())
    if not is_folder:
        names.check_name(keyword)  # it becomes the name of a folder
    arguments.setting_images = str(given[0] if is_folder else host.folders.datasets / keyword)
    config = read_config(MakeConfig, arguments)
    incoming: list[Path] = [] if is_folder else given
    state = pipeline.make_it(host, config, listen, control, incoming=incoming)
    if arguments.json:
        line = json.dumps({"event": "Made", **state.facts}, ensure_ascii=False)
        sys.stdout.write(printable(line) + "\n")
    elif sheet := state.facts.get(comparison.SHEET):
        sys.stdout.write(printable(f"The images before and after: {sheet}") + "\n")
    return DONE
