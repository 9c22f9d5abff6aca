"""Actions of the step Inspect that begin with a folder: inspect it, bring images in, and train on it unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import INSPECTION
from lib_ti.background.tasks import TASKS, TaskContext
from lib_ti.data.preparations import without_excluded
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.create import onward
from lib_ti.ui.dataset.folder_line import FolderLine
from lib_ti.ui.dataset.inspect import unchanged
from lib_ti.ui.dataset.inspect.controller import Data, InspectionController
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets import upload_field
from lib_ti.wording import counted

if TYPE_CHECKING:
    from lib_ti.ui.dataset.inspect import incoming, state
    from lib_ti.ui.dataset.inspect.state import Inspection
else:
    incoming = lazy("lib_ti.ui.dataset.inspect.incoming")
    state = lazy("lib_ti.ui.dataset.inspect.state")


def connect(parts: Parts, controller: InspectionController) -> None:
    _Starting(parts, controller).connect()
    _connect_unchanged(parts)


class _Starting:
    """Handlers that start an inspection, and show its result."""

    def __init__(self, parts: Parts, controller: InspectionController) -> None:
        self._parts, self._controller, self._line = parts, controller, parts.task_line
        self._source, self._output, self._files = (
            parts["dataset_folder"], parts.prepare["output"], parts["dataset_files_uploaded"],
        )  # fmt: skip
        self._incoming, self._folders = parts["inspect_incoming"], FolderLine(parts)
        self._inputs = {*controller.inputs, parts.prepare["subfolders"]}

    def connect(self) -> None:
        parts, controller, line = self._parts, self._controller, self._line
        started = [parts["inspect_message"], *line.outputs]
        for event in (parts["inspect_start"].click, self._source.submit):
            event(self._inspect, inputs=self._inputs, outputs=[self._output, *started], **BUSY)
        self._files.input(
            self._bring_in,
            inputs={*self._inputs, self._files},
            outputs=[parts["dataset_files_answer"], self._incoming, *started],
            **BUSY,
        )
        line.done.change(
            self._ended,
            inputs={line.done, self._incoming, *controller.inputs, *self._folders.inputs},
            outputs=[self._source, self._incoming, *self._folders.outputs, *controller.outputs],
            **QUIET,
        )
        line.show_outcome(INSPECTION, parts["inspect_message"])

    def _inspect(self, data: Data) -> list[Any]:
        source = (data[self._source] or "").strip()
        output = self._parts.preparation.output(source, data[self._output] or "")
        updates, problem = attempt(lambda: self._started(data, source, output, ()))
        return [output, *updates] if updates else [gr.update(), problem, *self._line.updates()]

    def _bring_in(self, data: Data) -> list[Any]:
        def started() -> list[Any]:
            files = upload_field.read(data[self._files])
            folder = incoming.new_folder(self._parts.controller.host.folders, files)
            output = self._parts.preparation.suggested_output(str(folder))
            folder.parent.mkdir(parents=True, exist_ok=True)
            return [str(folder), *self._started(data, str(folder), output, files)]

        updates, problem = attempt(started)
        folder, message, *shown = updates or ["", problem, *self._line.updates()]
        # What another task keeps from being brought in stays in the page; the end of that task is not about it.
        return [
            upload_field.answered(data[self._files], refused=bool(message)),
            gr.update() if message else folder,
            message,
            *shown,
        ]

    def _started(self, data: Data, source: str, output: str, files: Sequence[Path]) -> list[Any]:
        """Start the inspection of a folder, into which some files are brought first; the message is empty if it did."""
        found, folder = state.check_folders(self._parts.controller.host.folders, source, output)
        config, before = self._controller.config(data), TASKS.result(INSPECTION)
        inner = bool(data[self._parts.prepare["subfolders"]])

        def work(task: TaskContext) -> Inspection:
            remarks = incoming.bring_into(files, found, task) if files else ()
            return state.inspect(found, folder, config, task, before, subfolders=inner, remarks=remarks)

        updates: list[Any] = self._line.start(INSPECTION, f"Inspecting {found.name}", work)
        return updates

    def _ended(self, data: Data) -> list[Any]:
        same = [gr.update()] * len(self._folders.outputs)
        if not self._line.ended(data, INSPECTION):
            return [gr.update(), gr.update(), *same, *self._controller.unchanged()]
        if not self._line.succeeded(data, INSPECTION):
            return [gr.update(), "", *same, *self._controller.unchanged()]
        brought = data[self._incoming]
        if not brought:
            return [gr.update(), "", *same, *self._controller.changed(data)]
        # The page that brought the images in continues with their folder, and the suggested one to prepare them into.
        now = {**data, self._source: brought, self._output: ""}
        return [brought, "", *self._folders.enter(now), *self._controller.changed(now)]


def _connect_unchanged(parts: Parts) -> None:
    """Use the folder in the Train tab as it is."""
    folder, form, subfolders = parts["dataset_folder"], parts.train, parts.prepare["subfolders"]

    def use(data: Data) -> list[Any]:
        chosen = (data[folder] or "").strip()
        values = {**form.values(data), "subfolders": data[subfolders]}
        folders = parts.controller.host.folders
        found, problem = attempt(lambda: without_excluded(unchanged.scan(folders, chosen, values)))
        if found is None:
            return [problem, *[gr.update()] * (2 + len(onward.outputs(parts)))]
        images = f"{counted(len(found.all_items), 'image')} of {chosen}, unchanged"
        message = notice("good", [f"The Train tab now uses {images}."])
        return [message, chosen, data[subfolders], *onward.updates(parts, data, images)]

    parts["dataset_use"].click(
        use,
        inputs={folder, subfolders, *form.components},
        outputs=[parts["dataset_used"], form["dataset"], form["subfolders"], *onward.outputs(parts)],
        **BUSY,
    )
