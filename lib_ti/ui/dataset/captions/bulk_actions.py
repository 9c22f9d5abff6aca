"""Actions that change all listed captions at once: previewed first, then applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.errors import BadInput
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.captions import view
from lib_ti.ui.dataset.captions.bulk_changes import replacement, tag_change
from lib_ti.ui.dataset.captions.controller import FILES, CaptionEditorController
from lib_ti.ui.dataset.captions.listing import Listing
from lib_ti.ui.dataset.captions.page import LACKING
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts

if TYPE_CHECKING:
    from lib_ti.prep.captions.caption_set import CaptionEdit


def connect(parts: Parts, controller: CaptionEditorController) -> None:
    by, action, tags, pending = (parts[f"captions_{name}"] for name in ("replacement", "action", "tags", "pending"))
    outputs = [parts["captions_changes"], parts["captions_apply"], pending]

    def preview(make: Callable[[], CaptionEdit]) -> list[Any]:
        edit, problem = attempt(make)
        shown = problem if edit is None else view.changes(edit)
        return [shown, gr.update(visible=edit is not None), edit]

    def replace(data: dict[Any, Any]) -> list[Any]:
        return preview(lambda: _replacement(controller.listing(data), data[by] or ""))

    def change_tags(data: dict[Any, Any]) -> list[Any]:
        return preview(lambda: _tag_change(controller.listing(data), data[action] or "", data[tags] or ""))

    def apply(data: dict[Any, Any]) -> list[Any]:
        def done() -> list[Any]:
            listing = controller.listing(data)
            message = _applied(*listing.editor.apply(data[pending])) if data[pending] else ""
            updates = controller.updates(data, listing.editor, listing.opened, listing.opened.name)
            return [message, gr.update(visible=False), None, *updates]

        updates, problem = attempt(done)
        return updates or [problem, gr.update(), gr.update(), *controller.unchanged()]

    inputs = controller.inputs
    parts["captions_replace"].click(replace, inputs=inputs | {by}, outputs=outputs, **FILES)
    parts["captions_tag_changes"].click(change_tags, inputs=inputs | {action, tags}, outputs=outputs, **FILES)
    parts["captions_apply"].click(apply, inputs=inputs | {pending}, outputs=[*outputs, *controller.outputs], **FILES)


def _replacement(listing: Listing, by: str) -> CaptionEdit:
    if not listing.query.search.words.strip():
        raise BadInput("Enter what to replace into the field Find first.")
    if listing.query.lacking:
        raise BadInput(f"Captions without a match have nothing to replace: switch “{LACKING}” off.")
    return replacement(listing.captions, listing.selection(), listing.query.search, by)


def _tag_change(listing: Listing, action: str, tags: str) -> CaptionEdit:
    return tag_change(listing.captions, listing.selection(), action, tags)


def _applied(count: int, skipped: int) -> str:
    messages = [f"Changed: {count}. Undo reverts that, and nothing is saved yet."]
    if skipped:
        messages.append(f"Skipped: {skipped}, which were changed since the preview.")
    return notice("good", messages)
