"""Layout of the step Masks."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.dataset.painting import page as painting_page
from lib_ti.ui.dataset.painting.page import PaintingStep
from lib_ti.ui.parts import Parts

_ABOUT = (
    "Paint the area to exclude from training, such as a background: red is excluded. Without paint, the whole image is "
    "trained. The mask is saved at once. Training uses masks while “Use PNG alpha channel as loss weight” is on in "
    "the Train tab; “Use for training” turns it on."
)
_NOTHING = (
    "Exclude areas of an image from training, such as the background.",
    "They are painted on prepared images: prepare yours first.",
)


def layout(parts: Parts) -> None:
    def buttons() -> None:
        with gr.Row(elem_classes="ti-buttons"):
            parts.button("masks_transparency", "From transparency", size="sm")
            parts.button("masks_remove", "Remove mask", size="sm")

    step = PaintingStep(about=_ABOUT, nothing=_NOTHING, go="Open Prepare", white="train", buttons=buttons)
    painting_page.layout(parts, "masks", step)
