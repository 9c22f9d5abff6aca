"""Layout of the sub-tab Create."""

from __future__ import annotations

import gradio as gr

from lib_ti.background.kinds import SUGGESTION
from lib_ti.config import CreateConfig
from lib_ti.ui.create import onward
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.form import Form
from lib_ti.ui.widgets.task_line import TaskLine

FIRST_SIGHT = (
    "Create an embedding: the file behind a keyword in your prompts, which the Train tab then trains on your images.",
    "Name it, say in a word or two what the images show, and press Create embedding.",
)


def layout(parts: Parts) -> None:
    form = parts.create = Form(CreateConfig, "ti_create", defaults=parts.defaults)
    with gr.Row(), gr.Column(elem_classes="ti-narrow"):
        parts.html("create_first_sight", "".join(map(hint, FIRST_SIGHT)))
        onward.layout(parts)
        form.add("name")
        parts.html("create_name_remarks")
        form.add("text")
        _suggest(parts)
        form.add("vectors")
        parts.html("create_tokens_left", parts.controller.create.tokens_left(form["vectors"].value))
        form.add("overwrite", "file_format")
        with gr.Accordion("More settings", open=False):
            form.add(*form.missing())
        with gr.Row(elem_classes="ti-main-buttons"):
            parts.button("create", "Create embedding", variant="primary")
        parts.html("create_result")


def _suggest(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("suggest", "Suggest an initialization text", size="sm")
    tasks = parts.controller.tasks
    parts.suggest_line = TaskLine(tasks, "suggest_task", lambda: tasks.status(SUGGESTION))
    parts.html("suggest_message")
    parts.keep("suggested", gr.Radio([], label="Suggested words", visible=False, elem_id="ti_suggested"))
