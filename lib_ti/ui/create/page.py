"""Layout of the sub-tab Create."""

from __future__ import annotations

import gradio as gr

from lib_ti.config import CreateConfig
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.form import Form


def layout(parts: Parts) -> None:
    form = parts.create = Form(CreateConfig, "ti_create", defaults=parts.defaults)
    with gr.Row(), gr.Column(elem_classes="ti-narrow"):
        form.add("name")
        parts.html("create_name_remarks")
        form.add("text", "vectors")
        parts.html("create_tokens_left", parts.controller.create.tokens_left(form["vectors"].value))
        form.add("overwrite", "file_format")
        with gr.Accordion("More settings", open=False):
            form.add(*form.missing())
        parts.button("create", "Create embedding", variant="primary")
        parts.html("create_result")
