"""What the steps of the sub-tab Dataset do, from plain values to plain results. Knows the engine and no Gradio."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.config import PrepareConfig, from_mapping
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.paths import as_path, path_problem, path_text, resolved
from lib_ti.ui import reach
from lib_ti.ui.work import Told

if TYPE_CHECKING:
    from lib_ti.prep.plan import Plan

_AFTER = "-prepared"


@dataclass(frozen=True)
class TrainingSet:
    """A folder to train on: how many pictures it has, and how many of them have a mask."""

    folder: Path
    pictures: int
    masks: int


class Preparation:
    """The work behind the steps, for one host."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def config(self, values: Mapping[str, Any]) -> PrepareConfig:
        """The settings from the form's values; without a prepared folder it is the suggested one.

        Raises
        ------
        BadInput
            With everything that is wrong with them by themselves, and folders that this page may not name.
        """
        output = self.output(str(values.get("source") or ""), str(values.get("output") or ""))
        config = from_mapping(PrepareConfig, {**values, "output": output}, source="the form")
        reach.check(self.host, {"Source folder": config.source, "Prepared folder": config.output})
        return config

    def plan(self, values: Mapping[str, Any]) -> Plan:
        """What preparing would do; see :func:`lib_ti.prep.plan.make_plan`."""
        from lib_ti.prep.plan import make_plan

        return make_plan(self.config(values), self.host.upscalers)

    def output(self, source: str, named: str) -> str:
        """The prepared folder that is named, else the suggested one."""
        return path_text(named) or self.suggested_output(source)

    def suggested_output(self, source: str) -> str:
        """A folder beside the source, which is never written to, or where this page may name folders.

        Empty for a source that has nothing beside it or is no path, which is reported when it is used.
        """
        text = path_text(source)
        path = Path(text) if text and not path_problem(text) else Path("/")
        # Of "." and ".." only the whole path has a name.
        path = resolved(path) if path.name in ("", "..") else path
        if not path.name:
            return ""
        beside = path.with_name(f"{path.name}{_AFTER}")
        try:
            reach.check(self.host, {"Prepared folder": str(beside)})
        except BadInput:
            beside = next(iter(self.host.allowed_folders or ())) / beside.name
        return str(beside)

    def training_set(self, folder: str) -> TrainingSet:
        """A prepared folder, ready to be trained on.

        Raises
        ------
        BadInput
            When there is none, or nothing in it yet.
        """
        from lib_ti.data.masks import find_mask
        from lib_ti.prep.prepared import pictures_in

        if not path_text(folder):
            raise BadInput("There is no prepared folder yet: name one, and press Prepare.")
        reach.check(self.host, {"Prepared folder": folder})
        path = as_path(folder, "Prepared folder")
        found = pictures_in(path)
        if not found:
            raise BadInput(f"The prepared folder {path} holds no picture yet: press Prepare first.")
        return TrainingSet(path, len(found), sum(find_mask(picture) is not None for picture in found))

    def pack(self, found: TrainingSet, told: Told) -> Path:
        """The folder as one zip file in a new temporary folder."""
        from lib_ti.prep.export import export_zip

        target = Path(tempfile.mkdtemp(prefix="textual-inversion-")) / f"{found.folder.name}.zip"
        export_zip(found.folder, target, progress=told.progress, stop=told.stop)
        return target
