"""Fields of the prompt template in the sub-tab Train: selection, lines, example prompts, saving."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.parts import Parts, choices
from lib_ti.ui.widgets import listed


def layout(parts: Parts) -> None:
    listed.layout(parts, parts.train, "template")
    parts.box("template_message", answered_by="template_saved")
    parts.keep("template_loaded", gr.State(""))
    with gr.Accordion("See and edit the template", open=False):
        parts.keep(
            "template_text",
            gr.Textbox(
                label="Lines of the template",
                info="One prompt per line; a random line is used each time an image is trained on.",
                lines=8,
                max_lines=24,
                elem_id="ti_template_text",
            ),
        )
        parts.button("template_prompts", "Show the prompts for three captions", size="sm")
        parts.html("template_rendered")
        with gr.Row(elem_classes="ti-line"):
            parts.keep(
                "template_name",
                gr.Textbox(
                    label="Save as", info="Name of the template file.", max_lines=1, elem_id="ti_template_name", scale=3
                ),
            )
            parts.button("template_save", "Save template", scale=1)
        parts.keep(
            "template_replace",
            gr.Checkbox(
                False,
                label="Replace",
                info="Replace your own template of this name; the old file is kept.",
                elem_id="ti_template_replace",
            ),
        )
        parts.html("template_saved")


def connect(parts: Parts) -> Any:
    """Connect the fields; return the event of Save."""
    form, templates = parts.train, parts.controller.templates
    text, name, dataset = parts["template_text"], form["name"], form["dataset"]
    loaded = parts["template_loaded"]

    def load(data: dict[Any, Any]) -> list[Any]:
        chosen = data[form["template"]] or ""
        if chosen == data[loaded]:  # its lines may have been edited
            return ["", *[gr.update()] * 4]
        lines, problem = attempt(lambda: templates.text(chosen))
        if lines is None:
            return [problem, "", gr.update(), gr.update(), ""]
        return ["", chosen, lines, chosen, render({**data, text: lines})]

    def follow(data: dict[Any, Any]) -> list[Any]:
        """A typed name changes at every key; it is checked once the field loses focus."""
        return load(data) if data[form["template"]] in templates.names() else [gr.update()] * 5

    def render(data: dict[Any, Any]) -> str:
        shown, problem = attempt(lambda: templates.prompts(data[text] or "", data[name] or "", data[dataset] or ""))
        return problem or shown or ""

    def save(data: dict[Any, Any]) -> list[Any]:
        chosen, replace = data[parts["template_name"]] or "", bool(data[parts["template_replace"]])
        message, problem = attempt(lambda: templates.save(chosen, data[text] or "", replace=replace))
        if message is None:
            return [problem, gr.update(), gr.update()]
        return [message, False, choices(templates.names(), chosen.strip().removesuffix(".txt"))]

    listed.connect(parts, form["template"], "train_template", templates.names)
    for event, action in ((form["template"].change, follow), (form["template"].blur, load)):
        event(
            action,
            inputs={form["template"], name, dataset, loaded},
            outputs=[parts["template_message"], loaded, text, parts["template_name"], parts["template_rendered"]],
            **QUIET,
        )
    parts["template_prompts"].click(render, inputs={text, name, dataset}, outputs=[parts["template_rendered"]], **QUIET)
    return parts["template_save"].click(
        save,
        inputs={text, parts["template_name"], parts["template_replace"]},
        outputs=[parts["template_saved"], parts["template_replace"], form["template"]],
        **QUIET,
    )
