"""First step: the pictures of a folder with their captions, as a training would take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.ui.attempt import attempt
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import BUSY, Parts
from lib_ti.wording import counted

if TYPE_CHECKING:
    from lib_ti.data.dataset import Dataset

TITLE = "Pictures"


def layout(parts: Parts) -> None:
    parts.html("dataset_overview")
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("dataset_use", "Use for training", size="sm")
    parts.html("dataset_used")
    parts.html("dataset_pictures")


def connect(parts: Parts) -> None:
    folder, form = parts["dataset_folder"], parts.train
    subfolders = parts.prepare["subfolders"]
    inputs = {folder, subfolders, *form.components}

    def scan(data: dict[Any, Any]) -> tuple[Dataset, Dataset]:
        """The folder's images, and those of them that a training takes."""
        from lib_ti.data.preparations import without_excluded

        found = parts.controller.scan(data[folder] or "", {**form.values(data), "subfolders": data[subfolders]})
        return found, without_excluded(found)

    def show(data: dict[Any, Any]) -> list[Any]:
        """Show the images; and this step, for another one may be open."""
        from lib_ti.ui import pictures

        found, problem = attempt(lambda: scan(data))
        here = gr.update(selected="pictures")
        if found is None:
            return [problem, "", "", here]
        return [pictures.overview(found[1]), "", pictures.pictures(*found), here]

    def use(data: dict[Any, Any]) -> list[Any]:
        found, problem = attempt(lambda: scan(data)[1])
        if found is None:
            return [problem, *[gr.update()] * 3]
        chosen = (data[folder] or "").strip()
        said = notice("good", [f"The Train tab has {counted(len(found.all_items), 'image')} of {chosen}, as they are."])
        return [said, chosen, data[subfolders], gr.update(selected="train")]

    outputs = [parts["dataset_overview"], parts["dataset_used"], parts["dataset_pictures"], parts.steps]
    for event in (parts["dataset_show"].click, folder.submit):
        event(show, inputs=inputs, outputs=outputs, **BUSY)
    parts["dataset_use"].click(
        use, inputs=inputs, outputs=[parts["dataset_used"], form["dataset"], form["subfolders"], parts.tabs], **BUSY
    )
