"""Layout of the comparison of numbers of vectors."""

from __future__ import annotations

import gradio as gr

from lib_ti.background.kinds import VECTORS
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.task_line import TaskLine

SHOWN = ("vectors_message", "vectors", "vectors_kept")
"""What is about one run, and removed when another one is shown."""


def layout(parts: Parts) -> None:
    with gr.Accordion("Fewer vectors", open=False):
        gr.HTML(
            hint(
                "The validation loss of the checkpoint above with its first vectors only, and an image with each "
                "number of them. An embedding trained with Nested dropout of vectors loses little."
            ),
            elem_id="ti_vectors_hint",
        )
        parts.button("vectors_compare", "Compare numbers of vectors")
        tasks = parts.controller.tasks
        parts.vectors_line = TaskLine(tasks, "vectors_task", lambda: tasks.status(VECTORS))
        parts.html("vectors_message")
        parts.html("vectors")
        parts.keep(
            "vectors_keep",
            gr.Number(
                None,
                precision=0,
                label="Vectors to keep",
                info="The first ones of the checkpoint replace the embedding, which is kept aside.",
                elem_id="ti_vectors_keep",
            ),
        )
        parts.button("vectors_cut", "Keep these vectors")
        parts.html("vectors_kept")
