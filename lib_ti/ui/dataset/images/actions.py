"""Actions of the step Images: what its events do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.data.preparations import without_excluded
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.images import service
from lib_ti.ui.event_options import BUSY
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts
from lib_ti.wording import counted

if TYPE_CHECKING:
    from lib_ti.data.dataset import Dataset
    from lib_ti.ui.dataset.images import view
else:
    view = lazy("lib_ti.ui.dataset.images.view")


def connect(parts: Parts) -> None:
    folder, form = parts["dataset_folder"], parts.train
    subfolders = parts.prepare["subfolders"]
    inputs = {folder, subfolders, *form.components}

    def scan(data: dict[Any, Any]) -> tuple[Dataset, Dataset]:
        """Return the images of the folder, and those of them that training would use."""
        values = {**form.values(data), "subfolders": data[subfolders]}
        found = service.scan(parts.controller.host.folders, data[folder] or "", values)
        return found, without_excluded(found)

    def show(data: dict[Any, Any]) -> list[Any]:
        """Show the images, and open this step."""
        found, problem = attempt(lambda: scan(data))
        this_step = gr.update(selected="images")
        if found is None:
            return [problem, "", "", this_step]
        return [view.overview(found[1]), "", view.images(*found), this_step]

    def use(data: dict[Any, Any]) -> list[Any]:
        found, problem = attempt(lambda: scan(data)[1])
        if found is None:
            return [problem, *[gr.update()] * 3]
        chosen = (data[folder] or "").strip()
        images = counted(len(found.all_items), "image")
        message = notice("good", [f"The Train tab now uses {images} of {chosen}, unchanged."])
        return [message, chosen, data[subfolders], gr.update(selected="train")]

    outputs = [parts["dataset_overview"], parts["dataset_used"], parts["dataset_images"], parts.steps]
    for event in (parts["dataset_show"].click, folder.submit):
        event(show, inputs=inputs, outputs=outputs, **BUSY)
    parts["dataset_use"].click(
        use, inputs=inputs, outputs=[parts["dataset_used"], form["dataset"], form["subfolders"], parts.tabs], **BUSY
    )
