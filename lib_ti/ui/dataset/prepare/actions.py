"""Actions of the step Prepare: what its events do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import PREPARATION, ZIP
from lib_ti.background.tasks import TASKS, TaskContext
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.create import onward
from lib_ti.ui.dataset.folder_line import FolderLine
from lib_ti.ui.dataset.prepare import view
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts
from lib_ti.wording import counted

if TYPE_CHECKING:
    from lib_ti.prep.recipe import execute
    from lib_ti.ui.dataset.captions import state as captions_state
else:
    execute = lazy("lib_ti.prep.recipe.execute")
    captions_state = lazy("lib_ti.ui.dataset.captions.state")


def connect(parts: Parts) -> None:
    form, host, folders, line = parts.prepare, parts.controller.host, FolderLine(parts), parts.task_line
    everything = {*form.components, *folders.inputs}

    def dry_run(data: dict[Any, Any]) -> str:
        shown, problem = attempt(lambda: view.plan(parts.preparation.plan(folders.values(data))))
        return problem or _unsaved(data[form["source"]]) + (shown or "")

    def prepare(data: dict[Any, Any]) -> list[Any]:
        plan, problem = attempt(lambda: parts.preparation.plan(folders.values(data)))
        problem = problem or folders.outdated(data)
        if plan is None or problem:
            return [problem, *line.updates()]

        def work(task: TaskContext) -> Any:
            progress, stop = task.report_progress, task.stop_requested
            summary = execute.execute_plan(
                plan, tools=host.tools, progress=progress, stop=stop, report=task.report_message
            )
            return plan, summary

        return line.start(PREPARATION, f"Preparing {plan.source.name}", work, _unsaved(data[form["source"]]))

    def ended(data: dict[Any, Any]) -> list[Any]:
        if line.succeeded(data, PREPARATION):
            plan, summary = TASKS.result(PREPARATION)
            return [_unsaved(str(plan.source)) + view.summary(plan, summary), gr.update()]
        if line.succeeded(data, ZIP):
            return [gr.update(), gr.update(value=str(TASKS.result(ZIP)), visible=True)]
        return [gr.update(), gr.update()]

    parts["prepare_plan"].click(dry_run, inputs=everything, outputs=[parts["prepare_message"]], **BUSY)
    for button in ("prepare_run", "past_crop"):
        parts[button].click(prepare, inputs=everything, outputs=[parts["prepare_message"], *line.outputs], **BUSY)
    line.done.change(ended, inputs={line.done}, outputs=[parts["prepare_message"], parts["prepare_download"]], **QUIET)
    line.show_outcome(PREPARATION, parts["prepare_message"])
    line.show_outcome(ZIP, parts["prepare_used"])
    _connect_use(parts)


def _unsaved(folder: str | None) -> str:
    """Return a box that warns of unsaved captions, which are not used, or of a wrong folder; else nothing."""
    message, problem = attempt(lambda: captions_state.unsaved(folder or ""))
    return notice("warning", [message]) if message else problem


def _connect_use(parts: Parts) -> None:
    """Use the prepared folder in the Train tab, or download it as one file."""
    form, train, line = parts.prepare, parts.train, parts.task_line
    folders = {form["source"], form["output"]}
    inputs = {*folders, form["width"], form["height"], train["name"]}

    def prepared(data: dict[Any, Any]) -> str:
        return parts.preparation.output(data[form["source"]] or "", data[form["output"]] or "")

    def use_captioned(data: dict[Any, Any]) -> list[Any]:
        unsaved = _unsaved(prepared(data))
        return [unsaved, *[gr.update()] * len(filled)] if unsaved else use(data)

    def use(data: dict[Any, Any]) -> list[Any]:
        folder = prepared(data)
        found, problem = attempt(lambda: parts.preparation.training_set(folder))
        if found is None:
            return [problem, *[gr.update()] * len(filled)]
        masks = gr.update(value=True) if found.masks else gr.update()
        images = f"{counted(found.images, 'image')} of {folder}"
        message = notice("good", [f"The Train tab now uses {images}."])
        if found.excluded:
            results = f"{counted(found.excluded, 'result')} of images that were excluded since will not be trained"
            message += notice("warning", [f"{results}: press Prepare to remove them from the folder."])
        sides = data[form["width"]], data[form["height"]]
        return [message, *onward.updates(parts, data, images), folder, False, *sides, masks]

    def pack(data: dict[Any, Any]) -> list[Any]:
        found, problem = attempt(lambda: parts.preparation.training_set(prepared(data)))
        if found is None:
            return [problem, *line.updates()]
        return line.start(ZIP, "Writing the zip file", lambda task: parts.preparation.pack(found, task))

    names = ("dataset", "subfolders", "width", "height", "use_alpha")
    filled = [*onward.outputs(parts), *(train[name] for name in names)]
    for button, box in (("prepare_use", "prepare_used"), ("next_masks", "used_masks")):
        parts[button].click(use, inputs=inputs, outputs=[parts[box], *filled], **BUSY)
    parts["past_captions"].click(use_captioned, inputs=inputs, outputs=[parts["used_captions"], *filled], **BUSY)
    parts["prepare_zip"].click(pack, inputs=folders, outputs=[parts["prepare_used"], *line.outputs], **BUSY)
