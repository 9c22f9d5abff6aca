"""First step: the pictures of a folder with their captions, as a training would take them."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.ui.controller import attempt
from lib_ti.ui.parts import BUSY, Parts

TITLE = "Pictures"


def layout(parts: Parts) -> None:
    parts.html("dataset_overview")
    parts.html("dataset_pictures")


def connect(parts: Parts) -> None:
    folder, subfolders, form = parts["dataset_folder"], parts.prepare["subfolders"], parts.train

    def show(data: dict[Any, Any]) -> list[Any]:
        from lib_ti.ui import pictures

        chosen = data[folder] or ""
        values = {**form.values(data), "subfolders": data[subfolders]}
        found, problem = attempt(lambda: parts.controller.scan(chosen, values))
        if found is None:
            return [problem, "", gr.update()]
        return [pictures.overview(found), pictures.pictures(found), gr.update(value=chosen.strip())]

    outputs = [parts["dataset_overview"], parts["dataset_pictures"], form["dataset"]]
    for event in (parts["dataset_show"].click, folder.submit):
        event(show, inputs={folder, subfolders, *form.components}, outputs=outputs, **BUSY)
