"""Layout of the folder browser: one panel over the page, for the field whose 📂 was pressed."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.folder_browser import view


def layout(parts: Parts) -> None:
    """Lay out the panel, hidden. The style sheet puts it over the page."""
    with gr.Column(visible=False, elem_id="ti_folders") as panel, gr.Column(elem_id="ti_folders_panel"):
        parts.html("folders_title")
        with gr.Row(elem_classes="ti-listed"):
            parts.keep(
                "folders_location",
                gr.Textbox(
                    label="Location", placeholder=view.ANYWHERE, max_lines=1, elem_id="ti_folders_location", scale=5
                ),
            )
            parts.button("folders_up", "↑ Up", size="sm", scale=0, min_width=72)
        parts.keep(
            "folders_recent",
            gr.Dropdown(
                [], label="Recent folders", allow_custom_value=True, visible=False, elem_id="ti_folders_recent"
            ),
        )
        parts.keep("folders_list", gr.Radio([], label="Folders", elem_id="ti_folders_list"))
        parts.html("folders_message")
        with gr.Row(elem_classes="ti-buttons"):
            parts.button("folders_choose", "Choose", variant="primary")
            parts.button("folders_open", "Open")
            parts.button("folders_cancel", "Cancel")
        parts.html("folders_keys", view.KEYS)
    parts.keep("folders", panel)
    # The field that is chosen for, and the location that the list is of.
    parts.keep("folders_field", gr.State(""))
    parts.keep("folders_shown", gr.State(""))
