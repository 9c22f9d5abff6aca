"""Layout of the sub-tab Create."""

from __future__ import annotations

import gradio as gr

from lib_ti.background.kinds import SUGGESTION
from lib_ti.config import CreateConfig
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.form import Form
from lib_ti.ui.widgets.task_line import TaskLine


def layout(parts: Parts) -> None:
    form = parts.create = Form(CreateConfig, "ti_create", defaults=parts.defaults)
    with gr.Row(), gr.Column(elem_classes="ti-narrow"):
        form.add("name")
        parts.html("create_name_remarks")
        form.add("text", "vectors")
        _suggest(parts)
        parts.html("create_tokens_left", parts.controller.create.tokens_left(form["vectors"].value))
        form.add("overwrite", "file_format")
        with gr.Accordion("More settings", open=False):
            form.add(*form.missing())
        parts.button("create", "Create embedding", variant="primary")
        parts.html("create_result")


def _suggest(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("suggest", "Suggest an initialization text", size="sm")
    tasks = parts.controller.tasks
    parts.suggest_line = TaskLine(tasks, "suggest_task", lambda: tasks.status(SUGGESTION))
    parts.html("suggest_message")
    parts.keep("suggested", gr.Radio([], label="Suggested words", visible=False, elem_id="ti_suggested"))
