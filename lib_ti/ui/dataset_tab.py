"""Sub-tab Dataset: the folder of pictures, and the steps that make a training set of it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.config import PrepareConfig
from lib_ti.config.prepare import LANCZOS, NO_UPSCALER
from lib_ti.ui import work_line
from lib_ti.ui.dataset import captions, cut, erase, look, masks, pictures, prepare
from lib_ti.ui.form import Form, dropdown, picture_side
from lib_ti.ui.parts import QUIET, Parts, choices

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
    form = parts.prepare = Form(
        PrepareConfig,
        "ti_prepare",
        instead={
            "width": picture_side("In pixels, filled in from the model."),
            "height": picture_side("In pixels, filled in from the model."),
            "upscaler": dropdown(default=PrepareConfig.upscaler),
        },
    )
    with gr.Row(elem_classes="ti-line"):
        form.inputs["source"] = parts.keep(
            "dataset_folder",
            gr.Textbox(
                label="Folder with your pictures",
                info="A .txt or .caption file of the same name is an image's caption. Nothing in it is written to.",
                max_lines=1,
                elem_id="ti_dataset_folder",
                scale=5,
            ),
        )
        parts.button("dataset_show", "Show pictures", variant="primary", scale=1)
    form.add("subfolders")
    parts.keep("dataset_suggested", gr.State(""))
    with gr.Accordion("Where the prepared pictures go, and their size", open=False):
        form.add("output")
        with gr.Row():
            form.add("width", "height")
    work_line.layout(parts)
    with gr.Tabs(elem_id="ti_dataset_tabs"):
        for name, step in STEPS.items():
            with gr.Tab(step.TITLE, id=name, elem_id=f"ti_step_{name}") as opened:
                parts.keep(f"step_{name}", opened)
                step.layout(parts)


def connect(parts: Parts) -> None:
    _connect_suggestion(parts)
    work_line.connect(parts)
    for step in STEPS.values():
        step.connect(parts)


def _connect_suggestion(parts: Parts) -> None:
    """The prepared folder follows the pictures' own as long as nobody names another one."""
    folder, output, suggested = parts["dataset_folder"], parts.prepare["output"], parts["dataset_suggested"]

    def suggest(data: dict[Any, Any]) -> list[Any]:
        now = (data[output] or "").strip()
        if now and now != data[suggested]:
            return [gr.update(), data[suggested]]
        return [parts.preparation.suggested_output(data[folder] or "")] * 2

    for event in (folder.blur, folder.submit, parts["dataset_show"].click):
        event(suggest, inputs={folder, output, suggested}, outputs=[output, suggested], **QUIET)


def on_load(blocks: gr.Blocks, parts: Parts) -> None:
    """A new page has the model's size and the upscalers that there are, and shows the work that goes on."""
    form, host = parts.prepare, parts.controller.host

    def load() -> list[Any]:
        sides = [gr.update(value=host.model_size)] * 2
        return [*sides, choices((LANCZOS, NO_UPSCALER, *host.upscalers)), *work_line.news()]

    outputs = [form["width"], form["height"], form["upscaler"], *work_line.watched(parts)]
    blocks.load(load, inputs=[], outputs=outputs, **QUIET)
