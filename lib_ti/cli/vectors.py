"""The command ``vectors``: how many vectors of an embedding are enough, and the cutting."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lib_ti.cli.arguments import add_settings, read_config
from lib_ti.cli.exit_codes import DONE
from lib_ti.cli.host import add_host, embedded_host
from lib_ti.cli.progress import Console, JsonLines
from lib_ti.config import VectorsConfig
from lib_ti.errors import BadInput
from lib_ti.lazy import lazy
from lib_ti.signals import Control, Listener, LogMessage
from lib_ti.wording import printable, quoted

if TYPE_CHECKING:
    from lib_ti.embedding import files, library
    from lib_ti.embedding.embedding import Embedding
    from lib_ti.training.cut import compare, keep
    from lib_ti.training.files import run_folder
    from lib_ti.training.files.run_folder import RunFolder
    from lib_ti.ui.results import state
else:
    files, library = lazy("lib_ti.embedding.files"), lazy("lib_ti.embedding.library")
    compare, keep = lazy("lib_ti.training.cut.compare"), lazy("lib_ti.training.cut.keep")
    run_folder = lazy("lib_ti.training.files.run_folder")
    state = lazy("lib_ti.ui.results.state")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="write events as JSON lines, for programs")
    add_host(parser)
    add_settings(parser, VectorsConfig, positional="name")


def vectors(arguments: argparse.Namespace, control: Control) -> int:
    config = read_config(VectorsConfig, arguments)
    listen: Listener = JsonLines() if arguments.json else Console()
    host = embedded_host(arguments)
    embedding = _embedding(host.folders.embeddings, config)
    if config.keep:
        placed = keep.keep_vectors(host, embedding, config.keep)
        for line in (keep.describe(placed, embedding, config.keep), *placed.notes):
            listen(LogMessage(line))
        for line in placed.warnings:
            listen(LogMessage(line, warning=True))
        return DONE
    found = compare.compare(host, _run(embedding, config), embedding, config.prompt, listen, control)
    if arguments.json:
        content = {"event": "VectorsCompared", "name": found.name, "step": found.step, **asdict(found.losses)}
        line = json.dumps({**content, "sheet": str(found.sheet or ""), "notes": found.notes}, ensure_ascii=False)
        sys.stdout.write(printable(line) + "\n")
    else:
        for text in found.describe():
            listen(LogMessage(text))
    return DONE


def _embedding(folder: Path, config: VectorsConfig) -> Embedding:
    """Return the embedding of the embeddings folder, or the checkpoint that was asked for."""
    if not config.step:
        return replace(files.load(library.find(folder, config.name)), name=config.name)
    return state.RunResults(Path(config.log_directory), config.name, str(_newest(config).path)).checkpoint(config.step)


def _run(embedding: Embedding, config: VectorsConfig) -> RunFolder:
    """Return the run that wrote the embedding, where the log directory has it, else its newest one."""
    run = str(embedding.recipe.get("run", ""))
    found = None if config.step else run_folder.find_run(Path(config.log_directory), config.name, run)
    return found[0] if found else _newest(config)


def _newest(config: VectorsConfig) -> RunFolder:
    runs = run_folder.find_runs(Path(config.log_directory), config.name)
    if not runs:
        raise BadInput(
            f"There is no run of {quoted(config.name)} in Log directory {quoted(config.log_directory)}, on whose "
            "images the losses could be computed: give the Log directory of its run."
        )
    return runs[0]
