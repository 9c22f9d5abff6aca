"""Layout of the step Remove."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.dataset.painting import page as painting_page
from lib_ti.ui.parts import Parts

TITLE = "Remove"
_ABOUT = (
    "Paint over the area to remove, such as text, a watermark or a disturbing object, then press Remove. Your images "
    "stay unchanged; Prepare uses what you see here."
)


def layout(parts: Parts) -> None:
    images = "An image of the source folder."
    painting_page.layout(
        parts, "remove", images=images, about=_ABOUT, white="remove", controls=lambda: _controls(parts)
    )


def _controls(parts: Parts) -> None:
    parts.button("remove_find_text", "Find text")
    parts.button("remove_start", "Remove", variant="primary")
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("remove_undo", "Undo", size="sm")
        parts.button("remove_redo", "Redo", size="sm")
        parts.button("remove_compare", "Compare fills", size="sm")
    parts.html("remove_message")
    parts.prepare.add("fill", "fill_prompt")
    parts.keep(
        "remove_seed",
        gr.Number(
            0,
            label="Seed",
            info="patchmatch and a model fill in something else with another seed.",
            precision=0,
            elem_id="ti_remove_seed",
        ),
    )
