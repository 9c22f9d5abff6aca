"""Changes to all listed captions at once: looked at first, then applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.errors import BadInput
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset import captions_page
from lib_ti.ui.dataset.captions_changes import ACTIONS, replacement, tag_change
from lib_ti.ui.dataset.captions_desk import FILES, LACKING, Desk
from lib_ti.ui.dataset.captions_view import View
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts

if TYPE_CHECKING:
    from lib_ti.prep.captions.caption_set import CaptionEdit


def layout(parts: Parts) -> None:
    with gr.Accordion("Change all listed captions at once", open=False):
        with gr.Row(elem_classes="ti-columns"):
            with gr.Column(scale=2, min_width=300):
                _replacing(parts)
            with gr.Column(scale=3, min_width=300):
                _tagging(parts)
        parts.html("captions_changes")
        parts.button("captions_apply", "Apply", variant="primary", visible=False)
        parts.keep("captions_pending", gr.State(None))


def _replacing(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-line"):
        parts.keep(
            "captions_by",
            gr.Textbox(
                label="Replace what is found by",
                info="Empty: removed. Regex groups: \\1, \\2.",
                max_lines=1,
                elem_id="ti_captions_by",
                scale=3,
            ),
        )
        parts.button("captions_replace", "See changes", scale=1)


def _tagging(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-line"):
        parts.keep(
            "captions_action",
            gr.Dropdown(
                list(ACTIONS),
                value=ACTIONS[0],
                label="Tags",
                info="What to do with them.",
                elem_id="ti_captions_action",
                scale=2,
            ),
        )
        parts.keep(
            "captions_tags",
            gr.Textbox(
                label="Which tags",
                info="Parted by commas; not for sorting.",
                max_lines=1,
                elem_id="ti_captions_tags",
                scale=2,
            ),
        )
        parts.button("captions_tag", "See changes", scale=1)


def connect(parts: Parts, desk: Desk) -> None:
    by, action, tags, pending = (parts[f"captions_{name}"] for name in ("by", "action", "tags", "pending"))
    outputs = [parts["captions_changes"], parts["captions_apply"], pending]

    def see(make: Callable[[], CaptionEdit]) -> list[Any]:
        step, problem = attempt(make)
        shown = problem if step is None else captions_page.changes(step)
        return [shown, gr.update(visible=step is not None), step]

    def replace(data: dict[Any, Any]) -> list[Any]:
        return see(lambda: _replacement(desk.view(data), data[by] or ""))

    def with_tags(data: dict[Any, Any]) -> list[Any]:
        return see(lambda: _tag_change(desk.view(data), data[action] or "", data[tags] or ""))

    def apply(data: dict[Any, Any]) -> list[Any]:
        def done() -> list[Any]:
            view = desk.view(data)
            said = _applied(*view.editor.apply(data[pending])) if data[pending] else ""
            updates = desk.updates(data, view.editor, view.shown, view.shown.name)
            return [said, gr.update(visible=False), None, *updates]

        updates, problem = attempt(done)
        return updates or [problem, gr.update(), gr.update(), *desk.nothing()]

    parts["captions_replace"].click(replace, inputs=desk.inputs | {by}, outputs=outputs, **FILES)
    parts["captions_tag"].click(with_tags, inputs=desk.inputs | {action, tags}, outputs=outputs, **FILES)
    parts["captions_apply"].click(apply, inputs=desk.inputs | {pending}, outputs=[*outputs, *desk.outputs], **FILES)


def _replacement(view: View, by: str) -> CaptionEdit:
    if not view.query.search.words.strip():
        raise BadInput("Write what is to be replaced into the field Find first.")
    if view.query.lacking:
        raise BadInput(f"Captions that lack something have nothing to replace: take the mark off “{LACKING}”.")
    return replacement(view.captions, view.selection(), view.query.search, by)


def _tag_change(view: View, action: str, tags: str) -> CaptionEdit:
    return tag_change(view.captions, view.selection(), action, tags)


def _applied(count: int, left: int) -> str:
    said = [f"Changed: {count}. Undo takes that back, and nothing is saved yet."]
    if left:
        said.append(f"Left as they are: {left}, which were changed since you looked.")
    return notice("good", said)
