"""The command ``prepare``: from a folder of found pictures to one that can be trained on."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.cli.arguments import add_settings, read_config
from lib_ti.cli.exit_codes import DONE, STOPPED
from lib_ti.cli.host import add_host, embedded_host
from lib_ti.cli.progress import Console, JsonLines
from lib_ti.config import InspectConfig, PrepareConfig
from lib_ti.config.prepare import LANCZOS, NO_UPSCALER
from lib_ti.errors import Stopped
from lib_ti.paths import as_path
from lib_ti.signals import Control, LogMessage, Progress
from lib_ti.wording import counted, printable

if TYPE_CHECKING:
    from lib_ti.data.folder import Skipped
    from lib_ti.host.embedded.host import EmbeddedHost
    from lib_ti.prep.recipe.plan import Plan


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="settings as JSON, also a preparation.json of an earlier time")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    parser.add_argument("--look", action="store_true", help="first say what the found pictures are like")
    parser.add_argument(
        "--erase",
        metavar="DIR",
        help="fill what is white in the masks of this folder: <picture's name>.png, or .png in place of its suffix",
    )
    parser.add_argument("--zip", metavar="FILE", help="afterwards, write the prepared folder to a zip file too")
    parser.add_argument("--json", action="store_true", help="write events as JSON lines, for programs")
    add_host(parser, "checkpoint", "upscalers-dir", "device")
    add_settings(parser, PrepareConfig, positional=("source", "output"))


def prepare(arguments: argparse.Namespace, control: Control) -> int:
    from lib_ti.data.dataset import NothingReadable

    # Pillow warns of large pictures, and refuses by itself those that are too large.
    warnings.filterwarnings("ignore", message=".*decompression bomb.*")
    config = read_config(PrepareConfig, arguments)
    target = as_path(arguments.zip, "--zip") if arguments.zip else None
    _check_zip(target)
    host = _host_if_needed(arguments, config)
    voice = _Voice(as_json=arguments.json)
    try:
        plan = _plan(config, host)
        if arguments.look:
            _look(plan, voice, control, dry=arguments.dry_run)
        if arguments.dry_run:
            _show(plan, voice)
            return DONE
        if arguments.erase:
            _erase(config, as_path(arguments.erase, "--erase"), host, voice, control)
            plan = _plan(config, host)
        _make(plan, host, voice, control)
        if target:
            _write_zip(plan, target, voice, control)
    except Stopped as stopped:
        voice.tell("Stopped", str(stopped))
        return STOPPED
    except NothingReadable as error:
        voice.skipped(error.skipped)
        raise
    return DONE


def _host_if_needed(arguments: argparse.Namespace, config: PrepareConfig) -> EmbeddedHost | None:
    """The host, where one of its tools is asked for; everything else works without a model."""
    needed = config.fill == "model" or config.upscaler not in (LANCZOS, NO_UPSCALER)
    return embedded_host(arguments) if needed else None


def _plan(config: PrepareConfig, host: EmbeddedHost | None) -> Plan:
    from lib_ti.prep.recipe.plan import make_plan

    return make_plan(config, host.tools.upscalers if host else ())


def _look(plan: Plan, voice: _Voice, control: Control, *, dry: bool) -> None:
    from lib_ti.prep.inspect.report import inspect_folder

    report = inspect_folder(
        plan.source,
        InspectConfig(width=plan.config.width, height=plan.config.height),
        subfolders=plan.config.subfolders,
        cache_folder=None if dry else plan.folder.inspection,
        progress=voice.progress("Looking"),
        stop=lambda: control.stop_requested,
        workers=plan.config.workers or None,
    )
    for one in report.images:
        if one.issues:
            labels = [issue.label for issue in one.issues]
            name = printable(one.measured.name)
            voice.tell(
                "Looked",
                f"{name}: {', '.join(labels)}",
                path=printable(one.measured.path),
                issues=labels,
                group=one.group,
            )
    if dry:  # what only opening a picture tells; preparing tells it by itself
        told = {one.path for one in plan.skipped}
        voice.skipped([one for one in report.skipped if one.path not in told])
    for line in report.advice:
        voice.tell("Advice", line)


def _show(plan: Plan, voice: _Voice) -> None:
    for one in plan.results:
        facts = {"source": one.spec.item.name, "name": one.name, "size": one.spec.size, "state": one.state}
        voice.tell("Planned", one.describe(), **facts, factor=round(one.spec.factor, 3))
    voice.skipped(plan.skipped)
    for line in plan.describe():
        voice.tell("Summary", line)


def _erase(config: PrepareConfig, masks: Path, host: EmbeddedHost | None, voice: _Voice, control: Control) -> None:
    from lib_ti.prep.remove.remove_by_masks import remove_by_masks

    progress = voice.progress("Erasing")
    outcome = remove_by_masks(
        config, masks, host=host, progress=progress, stop=lambda: control.stop_requested, report=voice.say
    )
    voice.skipped(outcome.skipped)
    voice.tell("Erased", outcome.describe(), pictures=outcome.removed)


def _make(plan: Plan, host: EmbeddedHost | None, voice: _Voice, control: Control) -> None:
    from lib_ti.prep.recipe.execute import execute_plan
    from lib_ti.prep.recipe.write_results import describe

    progress = voice.progress("Preparing")
    summary = execute_plan(
        plan,
        tools=host.tools if host else None,
        progress=progress,
        stop=lambda: control.stop_requested,
        report=voice.say,
    )
    for one in summary.made:
        voice.tell("Made", describe(one), source=one.source, name=one.name, operations=one.operations)
    voice.skipped((*plan.skipped, *summary.failed))
    for line in (*plan.remarks, *summary.describe()):
        voice.tell("Summary", line)


def _check_zip(target: Path | None) -> None:
    """Refuse a target that cannot be replaced before the work, not after it."""
    from lib_ti.prep.export import check_target

    if target:
        check_target(target)


def _write_zip(plan: Plan, path: Path, voice: _Voice, control: Control) -> None:
    from lib_ti.prep.export import export_zip

    progress = voice.progress("Writing the zip file")
    number = export_zip(plan.folder.path, path, progress=progress, stop=lambda: control.stop_requested)
    voice.tell("Zipped", f"Wrote {path} with {counted(number, 'picture')}.", path=str(path), pictures=number)


class _Voice:
    """Tells things as sentences for people, or as JSON lines with their facts for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._listen = JsonLines() if as_json else Console()

    def tell(self, event: str, text: str, **facts: Any) -> None:
        if self._as_json:
            line = json.dumps({"event": event, "text": text, **facts}, ensure_ascii=False)
            sys.stdout.write(printable(line) + "\n")
        else:
            self._listen(LogMessage(text))

    def say(self, text: str) -> None:
        self.tell("LogMessage", text)

    def skipped(self, files: Iterable[Skipped]) -> None:
        for one in files:
            self.tell("Skipped", f"Skipped {one}", path=printable(one.path), reason=one.reason)

    def progress(self, stage: str) -> Callable[[int, int], None]:
        return lambda done, total: self._listen(Progress(stage, done, total))
