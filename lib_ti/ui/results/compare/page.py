"""Layout of the comparison with another run."""

from __future__ import annotations

import gradio as gr

from lib_ti.background.kinds import COMPARISON
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.task_line import TaskLine

SHOWN = ("compare_message", "compare_pair", "compare_sheet")
"""What is about one run, and removed when another one is shown."""


def layout(parts: Parts) -> None:
    with gr.Accordion("Compare with another run or embedding", open=False):
        with gr.Row():
            parts.keep(
                "compare_other",
                gr.Dropdown([], label="Compare with", info="A run, of any embedding.", elem_id="ti_compare_other"),
            )
            parts.keep(
                "compare_checkpoint",
                gr.Dropdown(
                    [],
                    label="Its checkpoint",
                    info="Of the other run; “best” has the lowest validation loss.",
                    allow_custom_value=True,
                    elem_id="ti_compare_checkpoint",
                ),
            )
        parts.html("compare_pair")
        parts.keep(
            "compare_prompts",
            gr.Textbox(
                label="Prompts",
                info="One per line; [name] is either embedding. Generated with both checkpoints and the same seeds.",
                lines=3,
                elem_id="ti_compare_prompts",
            ),
        )
        parts.button("compare_generate", "Generate side by side")
        tasks = parts.controller.tasks
        parts.compare_line = TaskLine(tasks, "compare_task", lambda: tasks.status(COMPARISON))
        parts.html("compare_message")
        parts.html("compare_sheet")
