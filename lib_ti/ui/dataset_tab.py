"""Sub-tab Dataset: choose the folder, see the pictures with their captions and what is wrong with them."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.config import TrainConfig, described
from lib_ti.ui.controller import attempt
from lib_ti.ui.parts import BUSY, Parts


def layout(parts: Parts) -> None:
    item = next(item for name, _, _, item in described(TrainConfig) if name == "dataset")
    with gr.Row(elem_classes="ti-line"):
        parts.keep(
            "dataset_folder",
            gr.Textbox(
                label=item.label,
                info="Path of the folder with the pictures. A text file beside each, of the same name, is its caption.",
                max_lines=1,
                elem_id="ti_dataset_folder",
                scale=5,
            ),
        )
        parts.button("dataset_show", "Show pictures", variant="primary", scale=1)
    parts.html("dataset_overview")
    parts.html("dataset_pictures")


def connect(parts: Parts) -> None:
    folder, form = parts["dataset_folder"], parts.train

    def show(data: dict[Any, Any]) -> list[Any]:
        from lib_ti.ui import pictures

        chosen = data[folder] or ""
        found, problem = attempt(lambda: parts.controller.scan(chosen, form.values(data)))
        if found is None:
            return [problem, "", gr.update()]
        return [pictures.overview(found), pictures.pictures(found), gr.update(value=chosen.strip())]

    outputs = [parts["dataset_overview"], parts["dataset_pictures"], form["dataset"]]
    for event in (parts["dataset_show"].click, folder.submit):
        event(show, inputs={folder, *form.components}, outputs=outputs, **BUSY)
