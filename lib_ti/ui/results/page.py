"""Layout of the sub-tab Results."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.background.kinds import CONTACT_SHEET
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts
from lib_ti.ui.results.checkpoint import page as checkpoint_page
from lib_ti.ui.results.cleanup import page as cleanup_page
from lib_ti.ui.results.compare import page as compare_page
from lib_ti.ui.results.vectors import page as vectors_page
from lib_ti.ui.widgets import listed
from lib_ti.ui.widgets.task_line import TaskLine

FIRST_SIGHT = (
    "Here you see what your runs learned: previews and loss curves by step, and the checkpoint that is the best.",
    "There is no run yet: train an embedding first.",
)


def layout(parts: Parts) -> None:
    with gr.Column(visible=False) as first_sight:
        parts.html("results_first_sight", "".join(map(hint, FIRST_SIGHT)))
        parts.button("results_to_start", "Train an embedding", variant="primary", elem_classes="ti-first-button")
    parts.keep("results_empty", first_sight)
    with gr.Row(elem_classes="ti-line") as choice:
        parts.keep("results_name", _dropdown("Embedding", "Whose runs to show.", "ti_results_name", scale=2))
        listed.button(parts, "results_name")
        parts.keep("results_run", _dropdown("Run", "Folder of the run, the newest first.", "ti_results_run", scale=3))
        parts.button("results_show", "Show", scale=1)
    parts.keep("results_choice", choice)
    parts.html("results_message")
    with gr.Column(visible=False) as shown:
        with gr.Row(elem_classes="ti-columns"):
            with gr.Column(scale=1, min_width=320):
                checkpoint_page.layout_images(parts)
            with gr.Column(scale=1, min_width=320):
                parts.html("results_curve")
                checkpoint_page.layout_buttons(parts)
        with gr.Accordion("Recipe", open=False):
            parts.html("results_recipe")
        _sheet(parts)
        compare_page.layout(parts)
        vectors_page.layout(parts)
        cleanup_page.layout(parts)
    parts.keep("results_shown", shown)


def _dropdown(label: str, info: str, elem_id: str, **options: Any) -> Any:
    return gr.Dropdown([], label=label, info=info, allow_custom_value=True, elem_id=elem_id, **options)


def _sheet(parts: Parts) -> None:
    with gr.Accordion("Contact sheet: steps across, prompts down", open=False):
        parts.keep(
            "sheet_prompts",
            gr.Textbox(
                label="Prompts",
                info="One per line; [name] is the embedding. Generated before training and with up to six checkpoints.",
                lines=3,
                elem_id="ti_sheet_prompts",
            ),
        )
        parts.button("sheet_generate", "Generate")
        tasks = parts.controller.tasks
        parts.sheet_line = TaskLine(tasks, "sheet_task", lambda: tasks.status(CONTACT_SHEET))
        parts.html("sheet_message")
        parts.html("sheet")
