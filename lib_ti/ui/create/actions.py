"""Actions of the sub-tab Create: what its events do."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.parts import Parts, choices
from lib_ti.ui.widgets.latest import follow


def connect(parts: Parts) -> None:
    form, controller = parts.create, parts.controller

    def create(data: dict[Any, Any]) -> list[Any]:
        created, problem = attempt(lambda: controller.create.create(form.values(data)))
        if created is None:
            return [problem, gr.update(), gr.update()]
        name, message = created
        return [message, choices(controller.embeddings(), name), ""]

    def remarks(data: dict[Any, Any]) -> str:
        shown, problem = attempt(
            lambda: controller.create.name_remarks(data[form["name"]] or "", data[parts.train["log_directory"]] or "")
        )
        return problem or shown or ""

    parts["create"].click(
        create,
        inputs=set(form.components),
        outputs=[parts["create_result"], parts.train["name"], parts["create_name_remarks"]],
        **BUSY,
    )
    form["name"].blur(
        remarks, inputs={form["name"], parts.train["log_directory"]}, outputs=[parts["create_name_remarks"]], **QUIET
    )
    vectors = form["vectors"]
    follow(
        vectors.change,
        lambda data: controller.create.tokens_left(data[vectors]),
        by=[vectors],
        inputs={vectors},
        outputs=[parts["create_tokens_left"]],
    )
