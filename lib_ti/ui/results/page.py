"""Layout of the sub-tab Results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import CONTACT_SHEET
from lib_ti.lazy import lazy
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts
from lib_ti.ui.results.vectors import page as vectors_page
from lib_ti.ui.widgets import listed
from lib_ti.ui.widgets.task_line import TaskLine

if TYPE_CHECKING:
    from lib_ti.ui.results import view
else:
    view = lazy("lib_ti.ui.results.view")

DOWNLOADS = {"download_safetensors": ".safetensors", "download_pt": ".pt", "download_card": ".png"}
"""Download buttons, and the suffix of the file that each makes."""


def layout(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-line"):
        parts.keep("results_name", _dropdown("Embedding", "Whose runs to show.", "ti_results_name", scale=2))
        listed.button(parts, "results_name")
        parts.keep("results_run", _dropdown("Run", "Folder of the run, the newest first.", "ti_results_run", scale=3))
        parts.button("results_show", "Show", scale=1)
    parts.html("results_message", hint("Choose an embedding to see its runs."))
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=1, min_width=320):
            parts.keep("results_step", gr.Slider(0, 1, value=0, step=1, label="Step", elem_id="ti_results_step"))
            parts.html("results_preview")
            parts.html("results_strip")
        with gr.Column(scale=1, min_width=320):
            parts.html("results_curve")
            _checkpoints(parts)
            with gr.Accordion("Recipe", open=False):
                parts.html("results_recipe")
            _sheet(parts)
            vectors_page.layout(parts)


def _dropdown(label: str, info: str, elem_id: str, **options: Any) -> Any:
    return gr.Dropdown([], label=label, info=info, allow_custom_value=True, elem_id=elem_id, **options)


def _checkpoints(parts: Parts) -> None:
    parts.keep(
        "checkpoint",
        _dropdown("Checkpoint", "The embedding at that step; “best” has the lowest validation loss.", "ti_checkpoint"),
    )
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("restore_checkpoint", "Restore this checkpoint", variant="primary")
        parts.button("train_more", "Train more")
        if "prompt" in parts.txt2img:
            parts.button("send_txt2img", "Send to txt2img")
    with gr.Row(elem_classes="ti-buttons"):
        for name, suffix in DOWNLOADS.items():
            text = "Download PNG card" if suffix == ".png" else f"Download {suffix}"
            parts.button(name, text, size="sm")
    parts.html("checkpoint_message")
    parts.keep("download", gr.File(label="Download", visible=False, interactive=False, elem_id="ti_download"))


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
