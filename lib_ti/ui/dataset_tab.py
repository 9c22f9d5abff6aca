"""Sub-tab Dataset: the folder of pictures, and the steps that make a training set of it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.config import PrepareConfig
from lib_ti.config.prepare import LANCZOS, NO_UPSCALER
from lib_ti.ui.dataset import captions, cut, erase, folders, look, masks, pictures, prepare
from lib_ti.ui.parts import QUIET, Parts, choices
from lib_ti.ui.widgets.form import Form, dropdown, image_side
from lib_ti.ui.widgets.task_line import TaskLine

STEPS = {
    "pictures": pictures,
    "look": look,
    "cut": cut,
    "erase": erase,
    "prepare": prepare,
    "captions": captions,
    "masks": masks,
}
"""In the order of work, by the ends of their ids."""


def layout(parts: Parts) -> None:
    parts.prepare = Form(
        PrepareConfig,
        "ti_prepare",
        overrides={
            "width": image_side("In pixels, filled in from the model."),
            "height": image_side("In pixels, filled in from the model."),
            "upscaler": dropdown(default=PrepareConfig.upscaler),
        },
    )
    folders.layout(parts)
    tasks = parts.controller.tasks
    parts.task_line = TaskLine(parts, "dataset_task", lambda: tasks.lane_status("dataset"))
    parts.task_line.layout()
    with gr.Tabs(elem_id="ti_dataset_tabs") as parts.steps:
        for name, step in STEPS.items():
            with gr.Tab(step.TITLE, id=name, elem_id=f"ti_step_{name}") as opened:
                parts.keep(f"step_{name}", opened)
                step.layout(parts)


def connect(parts: Parts) -> None:
    folders.connect(parts)
    parts.task_line.connect()
    for step in STEPS.values():
        step.connect(parts)


def on_load(blocks: gr.Blocks, parts: Parts) -> None:
    """A new page has the last folders with their settings, the upscalers that there are, and the work that goes on."""
    form, host, line = parts.prepare, parts.controller.host, folders.Folders(parts)
    sizes = [form["width"], form["height"]]
    outputs = [parts["dataset_folder"], *line.outputs, *parts.task_line.outputs]

    def load(data: dict[Any, Any]) -> list[Any]:
        updates = dict(zip(outputs, [*line.load(data), *parts.task_line.updates()], strict=True))
        for side in sizes:
            updates[side] = {**gr.update(value=host.models.size), **updates[side]}
        upscalers = choices((LANCZOS, NO_UPSCALER, *host.tools.upscalers))
        updates[form["upscaler"]] = {**upscalers, **updates[form["upscaler"]]}
        return list(updates.values())

    blocks.load(load, inputs=line.inputs, outputs=outputs, **QUIET)
