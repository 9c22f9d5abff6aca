"""Layout of the sub-tab Start."""

from __future__ import annotations

import gradio as gr

from lib_ti.config import MakeConfig
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts
from lib_ti.ui.start import view
from lib_ti.ui.widgets import upload_field
from lib_ti.ui.widgets.form import Form


def layout(parts: Parts) -> None:
    form = parts.make = Form(MakeConfig, "ti_make", defaults=parts.defaults)
    parts.html("make_first_sight", "".join(map(hint, view.FIRST_SIGHT)))
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=1, min_width=320):
            upload_field.layout(parts, "make_files", "Images, or a zip of images", keeps=True)
            form.add("images", "kind", "keyword")
            parts.html("make_keyword_remarks")
            form.add("what")
            with gr.Accordion("More settings", open=False):
                form.add(*form.missing())
            active = parts.controller.start.status().active
            with gr.Row(elem_classes="ti-buttons ti-main-buttons"):
                parts.button("make_it", "Make it", variant="primary", interactive=not active)
                parts.button("make_stop", "Interrupt", variant="stop", interactive=active)
                parts.button("make_refresh", "Refresh", size="sm")
            parts.html("make_message")
        with gr.Column(scale=1, min_width=320):
            parts.html("make_result")
            with gr.Row(elem_classes="ti-buttons", visible=False) as parts.make_buttons:
                if "prompt" in parts.txt2img:
                    parts.button("make_use", "Use in txt2img", variant="primary")
                parts.button("make_more", "Train some more")
                parts.button("make_export", "Download")
            parts.html("make_used")
            parts.keep(
                "make_download", gr.File(label="Download", visible=False, interactive=False, elem_id="ti_make_download")
            )
            parts.html("make_status", view.status(parts.controller.start.status(), parts.seconds))
            parts.html("make_run")
            parts.keep("make_seen", gr.State(""))
