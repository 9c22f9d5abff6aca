"""Layout of the step Masks."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.dataset.painting import image_picker
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts

TITLE = "Masks"
_ABOUT = (
    "Paint the area to exclude from training, such as a background: red is excluded. Without paint, the whole image is "
    "trained. The mask is saved at once. Training uses masks while “Use PNG alpha channel as loss weight” is on in "
    "the Train tab; “Use for training” turns it on."
)


def layout(parts: Parts) -> None:
    image_picker.layout(parts, "masks", "An image of the prepared folder.")
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=3, min_width=320):
            parts.html("masks_stage")
        with gr.Column(scale=1, min_width=320):
            parts.html("masks_about", hint(_ABOUT))
            parts.html("masks_message")
            parts.button("masks_transparency", "From transparency", size="sm")
            parts.button("masks_remove", "Remove mask", size="sm")
            with gr.Accordion("Load a mask from a file", open=False):
                parts.keep(
                    "masks_file",
                    gr.File(
                        label="Image of the same aspect ratio, white in the area to train", elem_id="ti_masks_file"
                    ),
                )
    # The painted layer, from the page's script and to it; its "input" event saves.
    parts.keep("masks_mask", gr.Textbox("", show_label=False, elem_id="ti_masks_mask", elem_classes="ti-hidden"))
