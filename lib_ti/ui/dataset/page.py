"""The sub-tab Dataset: the strip, and the steps that make a training set of found images."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.config import PrepareConfig
from lib_ti.config.prepare import LANCZOS, NO_UPSCALER
from lib_ti.ui.dataset import folder_line
from lib_ti.ui.dataset.captions import actions as captions_actions
from lib_ti.ui.dataset.captions import page as captions_page
from lib_ti.ui.dataset.crop import actions as crop_actions
from lib_ti.ui.dataset.crop import page as crop_page
from lib_ti.ui.dataset.inspect import actions as inspect_actions
from lib_ti.ui.dataset.inspect import page as inspect_page
from lib_ti.ui.dataset.masks import actions as masks_actions
from lib_ti.ui.dataset.masks import page as masks_page
from lib_ti.ui.dataset.prepare import actions as prepare_actions
from lib_ti.ui.dataset.prepare import page as prepare_page
from lib_ti.ui.dataset.remove import actions as remove_actions
from lib_ti.ui.dataset.remove import page as remove_page
from lib_ti.ui.dataset.workflow import actions as workflow_actions
from lib_ti.ui.dataset.workflow import page as workflow_page
from lib_ti.ui.dataset.workflow.steps import STEPS
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.parts import Parts, choices
from lib_ti.ui.widgets.form import Form, dropdown, image_side, radio
from lib_ti.ui.widgets.task_line import TaskLine

_STEPS = {
    "inspect": (inspect_page, inspect_actions),
    "crop": (crop_page, crop_actions),
    "remove": (remove_page, remove_actions),
    "prepare": (prepare_page, prepare_actions),
    "captions": (captions_page, captions_actions),
    "masks": (masks_page, masks_actions),
}
"""Page and actions of each step, by the ends of their ids; :data:`STEPS` has their order."""
_ADVANCED = {"captions": captions_page.advanced}
"""What is below a step's own content, also where that cannot be used yet."""


def layout(parts: Parts) -> None:
    parts.prepare = Form(
        PrepareConfig,
        "ti_prepare",
        overrides={
            "fill": radio(),
            "width": image_side("In pixels, filled in from the model."),
            "height": image_side("In pixels, filled in from the model."),
            "upscaler": dropdown(default=PrepareConfig.upscaler),
        },
    )
    workflow_page.strip(parts)
    tasks = parts.controller.tasks
    parts.task_line = TaskLine(tasks, "dataset_task", lambda: tasks.lane_status("dataset"))
    with gr.Tabs(elem_id="ti_dataset_tabs") as parts.steps:
        for step in STEPS:
            with gr.Tab(step.label, id=step.name, elem_id=f"ti_step_{step.name}") as tab:
                parts.keep(f"step_{step.name}", tab)
                workflow_page.frame(parts, step, _STEPS[step.name][0].layout, _ADVANCED.get(step.name))


def connect(parts: Parts) -> None:
    folder_line.connect(parts)
    parts.task_line.connect()
    for _, actions in _STEPS.values():
        actions.connect(parts)
    workflow_actions.connect(parts)


def on_load(blocks: gr.Blocks, parts: Parts) -> None:
    """Fill a new page with the last folders and their settings, the upscalers, and the task in progress."""
    form, host, line = parts.prepare, parts.controller.host, folder_line.FolderLine(parts)
    sizes = [form["width"], form["height"]]
    outputs = [parts["dataset_folder"], *line.outputs, *parts.task_line.outputs]

    def load(data: dict[Any, Any]) -> list[Any]:
        updates = dict(zip(outputs, [*line.load(data), *parts.task_line.updates()], strict=True))
        own = host.models.size
        if updates[parts["prepare_own_size"]] != 0:  # there are no settings of a prepared folder
            updates[parts["prepare_own_size"]] = own
        for side in sizes:
            updates[side] = {**gr.update(value=own), **updates[side]}
        upscalers = choices((LANCZOS, NO_UPSCALER, *host.tools.upscalers))
        updates[form["upscaler"]] = {**upscalers, **updates[form["upscaler"]]}
        return list(updates.values())

    blocks.load(load, inputs=line.inputs, outputs=outputs, **QUIET)
