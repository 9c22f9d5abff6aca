"""Layout of deleting and archiving checkpoints."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.parts import Parts


def layout(parts: Parts) -> None:
    with gr.Accordion("Delete or archive checkpoints", open=False):
        parts.keep(
            "cleanup_choice",
            gr.CheckboxGroup(
                [],
                label="Checkpoints to remove",
                info="With their PNG cards. Previews, loss curves and what the run continues from stay.",
                elem_id="ti_cleanup_choice",
            ),
        )
        parts.html("cleanup_kept")
        with gr.Row(elem_classes="ti-buttons"):
            parts.button("cleanup_archive", "Archive …")
            parts.button("cleanup_delete", "Delete …")
        parts.html("cleanup_question")
        with gr.Row(elem_classes="ti-buttons", visible=False) as answers:
            parts.button("cleanup_confirm", "Delete", variant="stop")
            parts.button("cleanup_cancel", "Cancel")
        parts.keep("cleanup_answers", answers)
        parts.keep("cleanup_agreed", gr.State(None))  # what the question is about
        parts.html("cleanup_message")
