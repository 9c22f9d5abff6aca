"""The command ``prepare``: from a folder of source images to one that can be trained on."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.cli.arguments import add_settings, read_config
from lib_ti.cli.exit_codes import DONE, STOPPED
from lib_ti.cli.host import add_host, embedded_host
from lib_ti.cli.progress import Console, JsonLines
from lib_ti.config import InspectConfig, PrepareConfig, with_present_names
from lib_ti.config.prepare import LANCZOS, NO_UPSCALER
from lib_ti.errors import Stopped
from lib_ti.lazy import lazy
from lib_ti.paths import as_path, path_problem
from lib_ti.signals import Control, LogMessage, Progress
from lib_ti.wording import counted, printable

if TYPE_CHECKING:
    from lib_ti.data import dataset
    from lib_ti.data.folder import Skipped
    from lib_ti.host.embedded.host import EmbeddedHost
    from lib_ti.prep import export, manifest, prepared
    from lib_ti.prep.inspect import report
    from lib_ti.prep.recipe import execute, plan, write_results
    from lib_ti.prep.remove import remove_by_masks
else:
    dataset = lazy("lib_ti.data.dataset")
    export, report = lazy("lib_ti.prep.export"), lazy("lib_ti.prep.inspect.report")
    manifest, prepared = lazy("lib_ti.prep.manifest"), lazy("lib_ti.prep.prepared")
    execute, plan = lazy("lib_ti.prep.recipe.execute"), lazy("lib_ti.prep.recipe.plan")
    write_results = lazy("lib_ti.prep.recipe.write_results")
    remove_by_masks = lazy("lib_ti.prep.remove.remove_by_masks")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="FILE", help="settings as JSON, also a preparation.json of an earlier preparation"
    )
    parser.add_argument("--dry-run", action="store_true", help="report what would be done, and write nothing")
    parser.add_argument("--inspect", action="store_true", help="first report issues of the source images")
    parser.add_argument(
        "--remove",
        metavar="DIR",
        help="fill the white areas of the masks in this folder: <image's name>.png, or .png in place of its suffix",
    )
    # The names of earlier versions.
    parser.add_argument("--look", dest="inspect", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--erase", dest="remove", metavar="DIR", help=argparse.SUPPRESS)
    parser.add_argument("--zip", metavar="FILE", help="afterwards, write the prepared folder to a zip file too")
    parser.add_argument("--json", action="store_true", help="write events as JSON lines, for programs")
    add_host(parser, "checkpoint", "upscalers-dir", "device")
    add_settings(parser, PrepareConfig, positional=("source", "output"))


def prepare(arguments: argparse.Namespace, control: Control) -> int:
    # Pillow warns of large images, and refuses by itself those that are too large.
    warnings.filterwarnings("ignore", message=".*decompression bomb.*")
    config = _named_as_before(read_config(PrepareConfig, arguments), arguments)
    target = as_path(arguments.zip, "--zip") if arguments.zip else None
    _check_zip(target)
    host = _host_if_needed(arguments, config)
    reporter = _Reporter(as_json=arguments.json)
    try:
        planned = _plan(config, host)
        if arguments.inspect:
            _inspect(planned, reporter, control, dry=arguments.dry_run)
        if arguments.dry_run:
            _show(planned, reporter)
            return DONE
        if arguments.remove:
            _remove(config, as_path(arguments.remove, "--remove"), host, reporter, control)
            planned = _plan(config, host)
        _make(planned, host, reporter, control)
        if target:
            _write_zip(planned, target, reporter, control)
    except Stopped as stopped:
        reporter.report("Stopped", str(stopped))
        return STOPPED
    except dataset.NothingReadable as error:
        reporter.skipped(error.skipped)
        raise
    return DONE


def _named_as_before(config: PrepareConfig, arguments: argparse.Namespace) -> PrepareConfig:
    """Keep the name that the results in the prepared folder have, unless another one is given.

    Earlier versions had another default; nobody asks for new names by repeating a command.
    """
    given = arguments.config or hasattr(arguments, "setting_name")
    if given or not config.output.strip() or path_problem(config.output):
        return config
    before = manifest.read_manifest(prepared.PreparedFolder(Path(config.output)))
    name = with_present_names(PrepareConfig, before.settings).get("name")
    return replace(config, name=str(name)) if before.results and name else config


def _host_if_needed(arguments: argparse.Namespace, config: PrepareConfig) -> EmbeddedHost | None:
    """Return the host where one of its tools is needed; everything else works without a model."""
    needed = config.fill == "model" or config.upscaler not in (LANCZOS, NO_UPSCALER)
    return embedded_host(arguments) if needed else None


def _plan(config: PrepareConfig, host: EmbeddedHost | None) -> plan.Plan:
    return plan.make_plan(config, host.tools.upscalers if host else ())


def _inspect(planned: plan.Plan, reporter: _Reporter, control: Control, *, dry: bool) -> None:
    found = report.inspect_folder(
        planned.source,
        InspectConfig(width=planned.config.width, height=planned.config.height),
        subfolders=planned.config.subfolders,
        cache_folder=None if dry else planned.folder.inspection,
        progress=reporter.progress("Inspecting"),
        stop=lambda: control.stop_requested,
        workers=planned.config.workers or None,
    )
    for one in found.images:
        if one.issues:
            labels = [issue.label for issue in one.issues]
            name = printable(one.measured.name)
            reporter.report(
                "Inspected",
                f"{name}: {', '.join(labels)}",
                path=printable(one.measured.path),
                issues=labels,
                group=one.group,
            )
    if dry:  # files that cannot be opened, which preparing would report
        reported = {one.path for one in planned.skipped}
        reporter.skipped([one for one in found.skipped if one.path not in reported])
    for line in found.advice:
        reporter.report("Advice", line)


def _show(planned: plan.Plan, reporter: _Reporter) -> None:
    for one in planned.results:
        facts = {"source": one.spec.item.name, "name": one.name, "size": one.spec.size, "state": one.state}
        reporter.report("Planned", one.describe(), **facts, factor=round(one.spec.factor, 3))
    reporter.skipped(planned.skipped)
    for line in planned.describe():
        reporter.report("Summary", line)


def _remove(
    config: PrepareConfig, masks: Path, host: EmbeddedHost | None, reporter: _Reporter, control: Control
) -> None:
    progress = reporter.progress("Removing")
    outcome = remove_by_masks.remove_by_masks(
        config, masks, host=host, progress=progress, stop=lambda: control.stop_requested, report=reporter.message
    )
    reporter.skipped(outcome.skipped)
    reporter.report("Removed", outcome.describe(), images=outcome.removed)


def _make(planned: plan.Plan, host: EmbeddedHost | None, reporter: _Reporter, control: Control) -> None:
    progress = reporter.progress("Preparing")
    summary = execute.execute_plan(
        planned,
        tools=host.tools if host else None,
        progress=progress,
        stop=lambda: control.stop_requested,
        report=reporter.message,
    )
    for one in summary.made:
        reporter.report(
            "Made", write_results.describe(one), source=one.source, name=one.name, operations=one.operations
        )
    reporter.skipped((*planned.skipped, *summary.failed))
    for line in (*planned.remarks, *summary.describe()):
        reporter.report("Summary", line)


def _check_zip(target: Path | None) -> None:
    """Refuse a target that cannot be replaced before the work rather than after it."""
    if target:
        export.check_target(target)


def _write_zip(planned: plan.Plan, path: Path, reporter: _Reporter, control: Control) -> None:
    progress = reporter.progress("Writing the zip file")
    number = export.export_zip(planned.folder.path, path, progress=progress, stop=lambda: control.stop_requested)
    reporter.report("Zipped", f"Wrote {path} with {counted(number, 'image')}.", path=str(path), images=number)


class _Reporter:
    """Reports as sentences for people, or as JSON lines with their facts for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._listen = JsonLines() if as_json else Console()

    def report(self, event: str, text: str, **facts: Any) -> None:
        if self._as_json:
            line = json.dumps({"event": event, "text": text, **facts}, ensure_ascii=False)
            sys.stdout.write(printable(line) + "\n")
        else:
            self._listen(LogMessage(text))

    def message(self, text: str) -> None:
        self.report("LogMessage", text)

    def skipped(self, files: Iterable[Skipped]) -> None:
        for one in files:
            self.report("Skipped", f"Skipped {one}", path=printable(one.path), reason=one.reason)

    def progress(self, stage: str) -> Callable[[int, int], None]:
        return lambda done, total: self._listen(Progress(stage, done, total))
