"""Layout of the step Remove."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.dataset.painting import image_picker
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts

TITLE = "Remove"
_ABOUT = (
    "Paint over the area to remove, such as text, a watermark or a disturbing object, then press Remove. Your images "
    "stay unchanged; Prepare uses what you see here."
)


def layout(parts: Parts) -> None:
    image_picker.layout(parts, "remove", "An image of the source folder.")
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=3, min_width=320):
            parts.html("remove_stage")
        with gr.Column(scale=1, min_width=320):
            parts.html("remove_about", hint(_ABOUT))
            parts.button("remove_find_text", "Find text")
            parts.button("remove_start", "Remove", variant="primary")
            with gr.Row(elem_classes="ti-buttons"):
                parts.button("remove_undo", "Undo", size="sm")
                parts.button("remove_redo", "Redo", size="sm")
            parts.html("remove_message")
            parts.prepare.add("fill", "fill_prompt")
            parts.keep(
                "remove_seed",
                gr.Number(
                    0,
                    label="Seed",
                    info="A model generates something else with another seed.",
                    precision=0,
                    elem_id="ti_remove_seed",
                ),
            )
            with gr.Accordion("Load a mask from a file", open=False):
                parts.keep(
                    "remove_file",
                    gr.File(
                        label="Image of the same aspect ratio, white in the area to remove", elem_id="ti_remove_file"
                    ),
                )
    # The painted layer, from the page's script and to it.
    parts.keep("remove_mask", gr.Textbox("", show_label=False, elem_id="ti_remove_mask", elem_classes="ti-hidden"))
