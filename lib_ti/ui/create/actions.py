"""Actions of the sub-tab Create: what its events do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import SUGGESTION
from lib_ti.ui.attempt import attempt
from lib_ti.ui.create import onward
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import holds_warning, notice
from lib_ti.ui.parts import Parts, choices
from lib_ti.ui.widgets.latest import follow

if TYPE_CHECKING:
    from lib_ti.training.suggest.suggestions import Suggestions


def connect(parts: Parts) -> None:
    form, controller = parts.create, parts.controller

    def create(data: dict[Any, Any]) -> list[Any]:
        created, problem = attempt(lambda: controller.create.create(form.values(data)))
        if created is None:
            return [problem, *[gr.update()] * 5]
        name, message = created
        # From images, the next page is Train; not where there is more to read than that it was created.
        plain = data[parts["create_onward"]] and not holds_warning(message)
        tab = gr.update(selected="train") if plain else gr.update()
        return [message, choices(controller.embeddings(), name), "", tab, "", False]

    def remarks(data: dict[Any, Any]) -> str:
        shown, problem = attempt(
            lambda: controller.create.name_remarks(data[form["name"]] or "", data[parts.train["log_directory"]] or "")
        )
        return problem or shown or ""

    shown = [parts["create_result"], parts.train["name"], parts["create_name_remarks"]]
    inputs = {*form.components, parts["create_onward"]}
    parts["create"].click(create, inputs=inputs, outputs=[*shown, *onward.outputs(parts)], **BUSY)
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
    _connect_suggest(parts)


def _connect_suggest(parts: Parts) -> None:
    """Start a search, show its answer, and fill in the word that is chosen."""
    line, box, words = parts.suggest_line, parts["suggest_message"], parts["suggested"]
    controller, train = parts.controller, parts.train

    def suggest(data: dict[Any, Any]) -> list[Any]:
        _, problem = attempt(lambda: controller.create.start_suggesting(train.values(data)))
        return [problem or "", gr.update() if problem else gr.update(visible=False), *line.updates()]

    def ended(data: dict[Any, Any]) -> list[Any]:
        if not line.succeeded(data, SUGGESTION):
            return [line.outcome(SUGGESTION) or gr.update(), gr.update()]
        return _answer(controller.tasks.result(SUGGESTION))

    parts["suggest"].click(suggest, inputs=set(train.components), outputs=[box, words, *line.outputs], **BUSY)
    line.connect()
    line.done.change(ended, inputs={line.done}, outputs=[box, words], **QUIET)
    words.input(lambda data: data[words] or gr.update(), inputs={words}, outputs=[parts.create["text"]], **QUIET)


def _answer(found: Suggestions) -> list[Any]:
    """Return the box and the choices of words."""
    title, *rows = found.describe()
    texts = [word.text for word in found.words]
    shown = notice("good" if texts else "info", rows, title=title)
    return [shown, gr.update(choices=texts, value=None, visible=bool(texts))]


def on_load(blocks: gr.Blocks, parts: Parts) -> None:
    """Show a search in progress on a new page."""
    blocks.load(parts.suggest_line.updates, inputs=[], outputs=parts.suggest_line.outputs, **QUIET)
