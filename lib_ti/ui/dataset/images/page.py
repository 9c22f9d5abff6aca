"""Layout of the step Images."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.parts import Parts

TITLE = "Images"


def layout(parts: Parts) -> None:
    parts.html("dataset_overview")
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("dataset_use", "Use for training", size="sm")
    parts.html("dataset_used")
    parts.html("dataset_images")
