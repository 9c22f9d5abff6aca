"""The box of Check: what the button found, or what was found by itself after the last change."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import gradio as gr

from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import BUSY, QUIET, quick
from lib_ti.ui.parts import Parts


def layout(parts: Parts) -> None:
    parts.html("check_result")
    # Pressed by the page's script while a check is in progress.
    parts.button("check_refresh", "Refresh", elem_classes="ti-hidden")
    parts.keep("check_page", gr.State(""))


def connect(parts: Parts, template_saved: Any) -> None:
    """Connect the box; ``template_saved`` is the event after which a template may have other lines."""
    form, service = parts.train, parts.controller.train
    page, box = parts["check_page"], parts["check_result"]
    inputs = {*form.components, page}

    def check(data: dict[Any, Any]) -> str:
        values = form.values(data)
        found, problem = attempt(lambda: service.check(values))
        # A refusal because of a task in progress is no result of a check.
        service.automatic_checks.show(data[page], values, found or "")
        return problem or found or ""

    def changed(data: dict[Any, Any]) -> Any:
        return service.automatic_checks.changed(data[page], form.values(data)) if data[page] else gr.update()

    def files_changed(data: dict[Any, Any]) -> Any:
        values = form.values(data)
        return service.automatic_checks.changed(data[page], values, again=True) if data[page] else gr.update()

    parts["check"].click(check, inputs=inputs, outputs=[box], **BUSY)
    for event in (parts["check_refresh"].click, *(field.change for field in form.inputs.values())):
        event(quick(changed), inputs=inputs, outputs=[box], **QUIET)
    for event in (parts["train_tab"].select, template_saved.then):
        event(files_changed, inputs=inputs, outputs=[box], **QUIET)


def new_page() -> str:
    """Return the value of ``check_page`` of a new page."""
    return uuid4().hex
