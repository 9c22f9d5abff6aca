"""Layout of the step Remove."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.dataset.painting import page as painting_page
from lib_ti.ui.dataset.painting.page import PaintingStep, hidden
from lib_ti.ui.dataset.remove.review import page as review_page
from lib_ti.ui.parts import Parts

_ABOUT = (
    "Paint over the area to remove, such as text, a watermark or a disturbing object, then press Remove. Your images "
    "stay unchanged; Prepare uses what you see here."
)
_NOTHING = (
    "Remove text, watermarks and objects from your images, so that the embedding does not learn them.",
    "Choose the folder with your images first.",
)


def layout(parts: Parts) -> None:
    step = PaintingStep(
        about=_ABOUT,
        nothing=_NOTHING,
        go="Choose a folder",
        white="remove",
        buttons=lambda: _buttons(parts),
        settings=lambda: _settings(parts),
        above=lambda: review_page.layout(parts),
        below=lambda: parts.html("remove_fills"),
    )
    painting_page.layout(parts, "remove", step)


def _buttons(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("remove_find_text", "Find text")
        parts.button("remove_start", "Remove", variant="primary")
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("remove_compare", "Compare fills", size="sm")
    # The page's script has these two at the image, where it names what they undo.
    with gr.Row(elem_classes="ti-buttons ti-without-script"):
        parts.button("remove_undo", "Undo fill", size="sm")
        parts.button("remove_redo", "Redo fill", size="sm")


def _settings(parts: Parts) -> None:
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
    hidden(parts, "remove_choose")  # the fill that was clicked, from the page's script
