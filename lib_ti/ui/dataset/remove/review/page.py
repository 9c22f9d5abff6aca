"""Layout of the removal of text from all images: the search, and the review of what it proposes."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.dataset.painting.page import hidden
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts

_ABOUT = (
    "Finds text in all images, or in those that Inspect found some in, and fills it by the fill method below. You see "
    "each image before and after; nothing is removed until you keep it."
)


def layout(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-buttons ti-review-start"):
        parts.button("review_start", "Remove text from all images", scale=0, min_width=240)
        parts.button("review_undo", "Undo: keep", size="sm", scale=0, min_width=170, visible=False)
        parts.html("review_about", hint(_ABOUT))
    parts.html("review_message")
    with gr.Accordion("Review", visible=False, elem_id="ti_review") as review:
        with gr.Row(elem_classes="ti-buttons ti-review-bar"):
            parts.button("review_keep", "Keep", variant="primary", scale=0, min_width=140)
            parts.button("review_accept", "Accept all", size="sm", scale=0)
            parts.button("review_reject", "Reject all", size="sm", scale=0)
            parts.html("review_saved")  # answers to the page's script
        parts.html("review_pairs")
        with gr.Row(elem_classes="ti-buttons ti-review-bar"):
            # The same again, since the first one is far above by then.
            parts.button("review_keep_end", "Keep", variant="primary", scale=0, min_width=140)
        with gr.Accordion("Images to keep as text", open=False):
            parts.keep(
                "review_names",
                gr.Textbox(
                    label="Images to keep",
                    info="One file name per line; the proposals for all other images are rejected.",
                    lines=3,
                    max_lines=20,
                    elem_id="ti_review_names",
                ),
            )
            parts.button("review_save_names", "Use this list", size="sm")
    parts.keep("review", review)
    hidden(parts, "review_changes")  # filled by the page's script; its "input" event saves
    parts.keep("review_stamp", gr.State(""))
