"""Layout of the step Inspect: the folder of images, what was found in it, and the images."""

from __future__ import annotations

import gradio as gr

from lib_ti.config import InspectConfig
from lib_ti.ui.dataset import folder_line
from lib_ti.ui.dataset.inspect.columns import BY_NAME, ORDERS
from lib_ti.ui.dataset.inspect.query import GALLERY, LAYOUTS
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.form import Form

NOT_YET = "Press “Inspect” first."
_ROWS = (
    ("blurry", "motion_blur"), ("noise", "blocks"), ("dark", "bright"), ("contrast", "text"), ("small", "duplicates"),
)  # fmt: skip


def layout(parts: Parts) -> None:
    folder_line.layout(parts, lambda: parts.button("inspect_start", "Inspect", variant="primary", scale=1))
    parts.html("inspect_message")
    _script_field(parts, "inspect_changes")
    parts.html("inspect_summary")
    with gr.Column(visible=False) as results:
        parts.keep("inspect_results", results)
        _thresholds(parts)
        _controls(parts)
        _script_field(parts, "inspect_sort")
        parts.html("inspect_images")
    _advanced(parts)
    parts.keep("inspect_stamp", gr.State(""))
    parts.keep("inspect_incoming", gr.State(""))


def _script_field(parts: Parts, name: str) -> None:
    """A hidden field for the page's script: with decisions, or the column whose header was clicked."""
    parts.keep(name, gr.Textbox("", show_label=False, elem_id=f"ti_{name}", elem_classes="ti-hidden"))


def _thresholds(parts: Parts) -> None:
    form = parts.inspect = Form(InspectConfig, "ti_inspect")
    with gr.Accordion("Thresholds of issues", open=False):
        for row in _ROWS:
            with gr.Row():
                form.add(*row)
        parts.button("inspect_reset", "Reset to defaults", size="sm")


def _controls(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-line"):
        layouts = gr.Radio(list(LAYOUTS), value=GALLERY, label="Show as", elem_id="ti_inspect_layout")
        orders = gr.Dropdown(list(ORDERS), value=BY_NAME, label="Order", elem_id="ti_inspect_order")
        find = gr.Textbox(
            label="Show only",
            placeholder="words from above, a group, or part of a file name",
            max_lines=1,
            elem_id="ti_inspect_find",
        )
    for name, component in (("inspect_layout", layouts), ("inspect_order", orders), ("inspect_find", find)):
        parts.keep(name, component)
    with gr.Row(elem_classes="ti-buttons ti-actions"):
        parts.button("inspect_exclude_suggested", "Exclude suggested", interactive=False, size="sm")
        parts.button("inspect_exclude", "Exclude all shown", size="sm")
        parts.button("inspect_include", "Include all shown", size="sm")
        parts.button("inspect_undo", "Undo", interactive=False, size="sm")
        parts.button("inspect_redo", "Redo", interactive=False, size="sm")


def _advanced(parts: Parts) -> None:
    with gr.Accordion("Advanced", open=False, elem_id="ti_inspect_advanced"):
        parts.keep(
            "inspect_names",
            gr.Textbox(
                label="Excluded images",
                info="One file name per line; all other images are in use.",
                lines=4,
                max_lines=20,
                elem_id="ti_inspect_names",
            ),
        )
        parts.button("inspect_save_names", "Save this list", size="sm")
        parts.html("inspect_unchanged", hint("Training can also use the images as they are, without preparing them."))
        parts.button("dataset_use", "Use for training as they are", size="sm")
        parts.html("dataset_used")
