"""Settings and folders of the preparation, its plan, and the training set that it makes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig, from_mapping, with_present_names
from lib_ti.data.preparations import exclusions, last_source, prepared_folders
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.lazy import lazy
from lib_ti.paths import as_path, path_problem, path_text, resolved
from lib_ti.ui import reach

if TYPE_CHECKING:
    from lib_ti.data.beside import masks as mask_files
    from lib_ti.prep import export, manifest
    from lib_ti.prep import prepared as prepared_folder
    from lib_ti.prep.recipe import plan as planning
    from lib_ti.prep.recipe.plan import Plan
else:
    mask_files = lazy("lib_ti.data.beside.masks")
    export = lazy("lib_ti.prep.export")
    manifest = lazy("lib_ti.prep.manifest")
    prepared_folder = lazy("lib_ti.prep.prepared")
    planning = lazy("lib_ti.prep.recipe.plan")

_SUFFIX = "-prepared"


@dataclass(frozen=True)
class TrainingSet:
    """A folder to train on, with its number of images, of those with a mask, and of those excluded since."""

    folder: Path
    images: int
    masks: int
    excluded: int


class Preparation:
    """The preparation on one host's pages."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def config(self, values: Mapping[str, Any]) -> PrepareConfig:
        """Return the settings of the form's values; an empty prepared folder is replaced by the suggested one.

        Raises
        ------
        BadInput
            With every problem of the settings, and for folders outside those this server allows.
        """
        output = self.output(str(values.get("source") or ""), str(values.get("output") or ""))
        config = from_mapping(PrepareConfig, {**values, "output": output}, source="the form")
        reach.check(self.host.folders, {"Source folder": config.source, "Prepared folder": config.output})
        return config

    def plan(self, values: Mapping[str, Any]) -> Plan:
        """Return what preparing would do; see :func:`lib_ti.prep.recipe.plan.make_plan`."""
        return planning.make_plan(self.config(values), self.host.tools.upscalers)

    def output(self, source: str, given: str) -> str:
        """Return the given prepared folder, else the suggested one."""
        return path_text(given) or self.suggested_output(source)

    def suggested_output(self, source: str) -> str:
        """Return the folder in which these images were last prepared, or one beside the source folder.

        Where this server does not allow that, it is in the first allowed folder. Empty for a source without a parent
        folder or with an invalid path, which is reported when it is used.
        """
        text = path_text(source)
        path = Path(text) if text and not path_problem(text) else Path("/")
        # "." and ".." only have a name as resolved paths.
        path = resolved(path) if path.name in ("", "..") else path
        if not path.name:
            return ""
        beside = path.with_name(f"{path.name}{_SUFFIX}")
        for last in reversed(prepared_folders(path)):
            if reach.is_allowed(self.host.folders, last):
                return str(beside if last == resolved(beside) else last)
        if not reach.is_allowed(self.host.folders, beside):
            beside = next(iter(self.host.folders.allowed or ())) / beside.name
        return str(beside)

    def last_source(self) -> str:
        """Return the source folder that was prepared last; empty where there is none that this server allows."""
        source = last_source()
        return str(source) if source is not None and reach.is_allowed(self.host.folders, source) else ""

    def settings(self, prepared: str) -> dict[str, Any]:
        """Return the settings with which a folder was last prepared, without the two folders.

        Raises
        ------
        BadInput
            When this server does not allow the folder, or its manifest is damaged.
        """
        if not path_text(prepared):
            return {}
        reach.check(self.host.folders, {"Prepared folder": prepared})
        saved = manifest.read_manifest(prepared_folder.PreparedFolder(as_path(prepared, "Prepared folder"))).settings
        saved = with_present_names(PrepareConfig, saved)
        names = {item.name for item in fields(PrepareConfig)} - {"source", "output"}
        return {name: value for name, value in saved.items() if name in names}

    def open(self, source: str, prepared: str) -> tuple[list[str], dict[str, Any]]:
        """Return the messages for a page that opens these folders, and the settings of the prepared one.

        Raises
        ------
        BadInput
            As :meth:`settings`.
        """
        settings = self.settings(prepared)
        messages = [f"{prepared} was last prepared with the settings now in the step Prepare."] if settings else []
        if path_text(source) and path_text(prepared):
            folder = prepared_folder.PreparedFolder(as_path(prepared), as_path(source))
            messages.append(manifest.describe_inherited(folder))
        return messages, settings

    def training_hint(self, dataset: str, source: str, given: str) -> str:
        """Return a hint on the Train tab's Dataset directory, which only “Use for training” fills in.

        ``source`` and ``given`` are the folders of the sub-tab Dataset.
        """
        prepared, directory = self.output(source, given), path_text(dataset)
        try:
            ready = bool(prepared) and self.training_set(prepared).images > 0
        except BadInput:
            ready = False
        if ready and (not directory or resolved(Path(directory)) != resolved(as_path(prepared))):
            problem = "is empty" if not directory else "is not the prepared folder"
            return (
                f"Dataset directory {problem}: press “Use for training” in the step Prepare to train on the images "
                f"prepared in {prepared}."
            )
        if not directory and path_text(source):
            return (
                f"Dataset directory is empty: prepare the images of {path_text(source)} first, or press “Use for "
                "training as they are” under Advanced in the step Inspect."
            )
        return ""

    def training_set(self, folder: str) -> TrainingSet:
        """Return a prepared folder as a training set.

        Raises
        ------
        BadInput
            When there is none, or it is still empty.
        """
        if not path_text(folder):
            raise BadInput("There is no prepared folder yet: enter one, and press Prepare.")
        reach.check(self.host.folders, {"Prepared folder": folder})
        path = as_path(folder, "Prepared folder")
        found = prepared_folder.images_in(path)
        if not found:
            raise BadInput(f"The prepared folder {path} has no image yet: press Prepare first.")
        excluded = exclusions(path).results
        used = [image for image in found if image.name not in excluded]
        masks = sum(mask_files.find_mask(image) is not None for image in used)
        return TrainingSet(path, len(used), masks, len(found) - len(used))

    def pack(self, found: TrainingSet, task: TaskContext) -> Path:
        """Write the folder as one zip file into a new temporary folder."""
        target = Path(tempfile.mkdtemp(prefix="textual-inversion-")) / f"{found.folder.name}.zip"
        export.export_zip(found.folder, target, progress=task.report_progress, stop=task.stop_requested)
        return target
