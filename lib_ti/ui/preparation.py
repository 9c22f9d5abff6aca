"""What the steps of the sub-tab Dataset do, from plain values to plain results. Knows the engine and no Gradio."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig, from_mapping
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.paths import as_path, path_problem, path_text, resolved
from lib_ti.ui import reach

if TYPE_CHECKING:
    from lib_ti.prep.recipe.plan import Plan

_AFTER = "-prepared"


@dataclass(frozen=True)
class TrainingSet:
    """A folder to train on: how many images it has, and how many of these have a mask or are excluded by now."""

    folder: Path
    pictures: int
    masks: int
    excluded: int


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
        reach.check(self.host.folders, {"Source folder": config.source, "Prepared folder": config.output})
        return config

    def plan(self, values: Mapping[str, Any]) -> Plan:
        """What preparing would do; see :func:`lib_ti.prep.recipe.plan.make_plan`."""
        from lib_ti.prep.recipe.plan import make_plan

        return make_plan(self.config(values), self.host.tools.upscalers)

    def output(self, source: str, named: str) -> str:
        """The prepared folder that is named, else the suggested one."""
        return path_text(named) or self.suggested_output(source)

    def suggested_output(self, source: str) -> str:
        """The folder that these images were last prepared in, or one beside their own, which is never written to.

        Where this page may not name that, it is in the first folder of those that it may name. Empty for a source that
        has nothing beside it or is no path, which is reported when it is used.
        """
        from lib_ti.data.preparations import prepared_folders

        text = path_text(source)
        path = Path(text) if text and not path_problem(text) else Path("/")
        # Of "." and ".." only the whole path has a name.
        path = resolved(path) if path.name in ("", "..") else path
        if not path.name:
            return ""
        beside = path.with_name(f"{path.name}{_AFTER}")
        for last in reversed(prepared_folders(path)):
            if self._reaches(last):
                return str(beside if last == resolved(beside) else last)
        if not self._reaches(beside):
            beside = next(iter(self.host.folders.allowed or ())) / beside.name
        return str(beside)

    def last_source(self) -> str:
        """The folder whose images were prepared last; empty where there is none that this page may name."""
        from lib_ti.data.preparations import last_source

        source = last_source()
        return str(source) if source is not None and self._reaches(source) else ""

    def settings(self, prepared: str) -> dict[str, Any]:
        """The settings that a folder was last prepared with, but its own and the source folder's name.

        Raises
        ------
        BadInput
            When this page may not name it, or its manifest is damaged.
        """
        from lib_ti.prep.manifest import read_manifest
        from lib_ti.prep.prepared import PreparedFolder

        if not path_text(prepared):
            return {}
        reach.check(self.host.folders, {"Prepared folder": prepared})
        kept = read_manifest(PreparedFolder(as_path(prepared, "Prepared folder"))).settings
        names = {item.name for item in fields(PrepareConfig)} - {"source", "output"}
        return {name: value for name, value in kept.items() if name in names}

    def arrive(self, source: str, prepared: str) -> tuple[list[str], dict[str, Any]]:
        """What to say on a page that names these folders, and the settings that the prepared one brings.

        Raises
        ------
        BadInput
            As :meth:`settings`.
        """
        from lib_ti.prep.manifest import describe_inherited
        from lib_ti.prep.prepared import PreparedFolder

        settings = self.settings(prepared)
        said = [f"Below are the settings that {prepared} was last prepared with."] if settings else []
        if path_text(source) and path_text(prepared):
            said.append(describe_inherited(PreparedFolder(as_path(prepared), as_path(source))))
        return said, settings

    def training_hint(self, dataset: str, source: str, named: str) -> str:
        """What to know of the Train tab's Dataset directory, which only “Use for training” fills in.

        ``source`` and ``named`` are the folders of the sub-tab Dataset.
        """
        prepared, given = self.output(source, named), path_text(dataset)
        try:
            ready = bool(prepared) and self.training_set(prepared).pictures > 0
        except BadInput:
            ready = False
        if ready and (not given or resolved(Path(given)) != resolved(as_path(prepared))):
            wrong = "is empty" if not given else "is not the prepared folder"
            return (
                f"Dataset directory {wrong}: press “Use for training” in the step Prepare to train on the images "
                f"prepared in {prepared}."
            )
        if not given and path_text(source):
            return (
                f"Dataset directory is empty: prepare the images of {path_text(source)} first, or press “Use for "
                "training” in the step Pictures to train on them as they are."
            )
        return ""

    def training_set(self, folder: str) -> TrainingSet:
        """A prepared folder, ready to be trained on.

        Raises
        ------
        BadInput
            When there is none, or nothing in it yet.
        """
        from lib_ti.data.masks import find_mask
        from lib_ti.data.preparations import exclusions
        from lib_ti.prep.prepared import images_in

        if not path_text(folder):
            raise BadInput("There is no prepared folder yet: name one, and press Prepare.")
        reach.check(self.host.folders, {"Prepared folder": folder})
        path = as_path(folder, "Prepared folder")
        found = images_in(path)
        if not found:
            raise BadInput(f"The prepared folder {path} holds no picture yet: press Prepare first.")
        excluded = exclusions(path).results
        used = [picture for picture in found if picture.name not in excluded]
        masks = sum(find_mask(picture) is not None for picture in used)
        return TrainingSet(path, len(used), masks, len(found) - len(used))

    def pack(self, found: TrainingSet, task: TaskContext) -> Path:
        """The folder as one zip file in a new temporary folder."""
        from lib_ti.prep.export import export_zip

        target = Path(tempfile.mkdtemp(prefix="textual-inversion-")) / f"{found.folder.name}.zip"
        export_zip(found.folder, target, progress=task.report_progress, stop=task.stop_requested)
        return target

    def _reaches(self, folder: Path) -> bool:
        """Whether this page may name a folder."""
        try:
            reach.check(self.host.folders, {"Folder": str(folder)})
        except BadInput:
            return False
        return True
