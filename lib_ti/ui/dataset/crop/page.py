"""Layout of the step Crop."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts

NOT_YET = (
    "Each image is cropped to the training size, around faces and what stands out. Press “Show crop boxes” to see "
    "where, and to move the boxes."
)


def layout(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-buttons ti-actions"):
        parts.button("crop_show", "Show crop boxes", variant="primary")
    parts.html("crop_message")
    parts.html("crop_grid", hint(NOT_YET))
    parts.keep("crop_stamp", gr.State(""))
    # Filled by the page's script; its "input" event saves.
    parts.keep("crop_changes", gr.Textbox("", show_label=False, elem_id="ti_crop_changes", elem_classes="ti-hidden"))
    with gr.Accordion("Advanced", open=False, elem_id="ti_crop_advanced"):
        parts.keep(
            "crop_text",
            gr.Textbox(
                label="Crop boxes, one line per image",
                info="Name: left top width height, in pixels. Separate several boxes by semicolons; “excluded” "
                "excludes an image; lines that start with # are default boxes.",
                lines=6,
                max_lines=20,
                elem_id="ti_crop_text",
            ),
        )
        with gr.Row(elem_classes="ti-buttons"):
            parts.button("crop_read", "List the boxes here", size="sm")
            parts.button("crop_save", "Save these lines", size="sm")
