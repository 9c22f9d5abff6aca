"""Actions of the step Crop: what its events do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import CROPPING
from lib_ti.background.tasks import TASKS, TaskContext
from lib_ti.errors import BadInput
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.crop.page import NOT_YET
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts

if TYPE_CHECKING:
    from lib_ti.prep import manifest
    from lib_ti.ui.dataset.crop import box_lines, state, view
    from lib_ti.ui.dataset.crop.state import FolderCrops
else:
    manifest = lazy("lib_ti.prep.manifest")
    box_lines = lazy("lib_ti.ui.dataset.crop.box_lines")
    state = lazy("lib_ti.ui.dataset.crop.state")
    view = lazy("lib_ti.ui.dataset.crop.view")

_OUTDATED = "Folder, size or shape have changed since these crop boxes were shown: press “Show crop boxes” again."


def connect(parts: Parts) -> None:
    form, host, line = parts.prepare, parts.controller.host, parts.task_line
    everything, shown = set(form.components), [parts["crop_grid"], parts["crop_stamp"]]

    def show(data: dict[Any, Any]) -> list[Any]:
        config, problem = attempt(lambda: parts.preparation.config(form.values(data)))
        if config is None:
            return [problem, *line.updates()]

        def work(task: TaskContext) -> Any:
            return state.propose(config, host.tools.upscalers, task, TASKS.result(CROPPING))

        return line.start(CROPPING, f"Finding crop boxes in {config.source}", work)

    def show_first(data: dict[Any, Any]) -> list[Any]:
        """Show the boxes to somebody who comes from Inspect and has not seen them."""
        crops = TASKS.result(CROPPING)
        config, _ = attempt(lambda: parts.preparation.config(form.values(data)))
        if config is None or (crops is not None and crops.matches(config)):
            return [gr.update(), *line.updates()]
        return show(data)

    def ended(data: dict[Any, Any]) -> list[Any]:
        return _updates() if line.succeeded(data, CROPPING) else [gr.update(), gr.update()]

    def opened(data: dict[Any, Any]) -> list[Any]:
        """Show the last boxes on a new page, and what other steps have changed since; none of another folder."""
        crops = TASKS.result(CROPPING)
        if crops is not None and not crops.is_of(data[form["source"]] or ""):
            return [hint(NOT_YET), ""]
        return _updates(data[parts["crop_stamp"]] or "")

    parts["crop_show"].click(show, inputs=everything, outputs=[parts["crop_message"], *line.outputs], **BUSY)
    parts["next_inspect"].click(show_first, inputs=everything, outputs=[parts["crop_message"], *line.outputs], **BUSY)
    line.done.change(ended, inputs={line.done}, outputs=shown, **QUIET)
    line.show_outcome(CROPPING, parts["crop_message"])
    parts["step_crop"].select(opened, inputs={parts["crop_stamp"], form["source"]}, outputs=shown, **QUIET)
    _connect_changes(parts)
    _connect_text(parts)


def _connect_changes(parts: Parts) -> None:
    """Save at once what was moved in the page."""
    form, host = parts.prepare, parts.controller.host

    def save(data: dict[Any, Any]) -> list[Any]:
        message, problem = attempt(lambda: state.read_message(data[parts["crop_changes"]] or ""))
        if message is None:
            return [problem, gr.update()]
        edits, problem = attempt(lambda: state.save(host.folders, message))
        if edits is None:
            return [view.not_saved(message.number, problem), gr.update()]
        config, _ = attempt(lambda: parts.preparation.config(form.values(data)))
        crops = TASKS.result(CROPPING)
        remark = "" if crops and config and crops.matches(config) else _OUTDATED
        return [view.saved(message.number, edits, remark), _stamp(crops)]

    parts["crop_changes"].input(
        save,
        inputs={parts["crop_changes"], *form.components},
        outputs=[parts["crop_message"], parts["crop_stamp"]],
        **QUIET,
    )


def _connect_text(parts: Parts) -> None:
    form = parts.prepare

    def present(data: dict[Any, Any]) -> FolderCrops:
        config, crops = parts.preparation.config(form.values(data)), TASKS.result(CROPPING)
        if crops is None or not crops.matches(config):
            raise BadInput(_OUTDATED if crops else NOT_YET)
        return crops

    def read(data: dict[Any, Any]) -> list[Any]:
        def lines() -> str:
            crops = present(data)
            return box_lines.write(crops, manifest.read_manifest(crops.folder).edits)

        text, problem = attempt(lines)
        return [problem, gr.update() if text is None else text]

    def save(data: dict[Any, Any]) -> list[Any]:
        def saved() -> Any:
            crops = present(data)
            edits = manifest.read_manifest(crops.folder).edits
            return state.decide(crops.folder, box_lines.read(data[parts["crop_text"]] or "", crops, edits))

        edits, problem = attempt(saved)
        if edits is None:
            return [problem, gr.update(), gr.update()]
        return [view.saved("", edits), *_updates()]

    inputs = {parts["crop_text"], *form.components}
    parts["crop_read"].click(read, inputs=inputs, outputs=[parts["crop_message"], parts["crop_text"]], **BUSY)
    parts["crop_save"].click(
        save, inputs=inputs, outputs=[parts["crop_message"], parts["crop_grid"], parts["crop_stamp"]], **BUSY
    )


def _updates(stamp: str = "") -> list[Any]:
    """Update the grid and its stamp; change nothing where the page already has that ``stamp``."""
    crops = TASKS.result(CROPPING)
    if crops is None or stamp == _stamp(crops):
        return [gr.update(), gr.update()]

    now = _stamp(crops)
    grid, problem = attempt(lambda: view.grid(crops, manifest.read_manifest(crops.folder).edits))
    return [problem or grid, now]


def _stamp(crops: FolderCrops | None) -> str:
    """Identify the boxes that were found and the decisions about them."""
    if crops is None:
        return ""
    try:
        return f"{id(crops)} {crops.folder.manifest.stat().st_mtime_ns}"
    except OSError:
        return f"{id(crops)}"
