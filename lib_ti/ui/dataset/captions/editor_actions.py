"""Actions of the caption editor: going through the images, listing, undo, and saving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.captions.controller import FILES, Action, CaptionEditorController
from lib_ti.ui.dataset.captions.listing import Listing
from lib_ti.ui.dataset.captions.page import WHOLE
from lib_ti.ui.dataset.captions.query import ALL, named, neighbor
from lib_ti.ui.dataset.captions.service import OpenImage
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.html.fragments import hint, notice
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.latest import follow

if TYPE_CHECKING:
    from lib_ti.prep.captions.caption_set import CaptionEdit
    from lib_ti.ui.dataset.captions.state import Editor


def connect(parts: Parts, controller: CaptionEditorController) -> None:
    _connect_turning(parts, controller)
    _connect_list(parts, controller)
    _connect_saving(parts, controller)


def _connect_turning(parts: Parts, controller: CaptionEditorController) -> None:
    """Going from image to image, and typing."""
    position = parts["captions_position"]

    def turn(step: int) -> Callable[[dict[Any, Any]], list[Any]]:
        def turned(listing: Listing) -> tuple[str, str]:
            name = neighbor(listing.captions, listing.names, listing.opened.name, step)
            end = "last" if step > 0 else "first"
            return name, hint(f"This is the {end} listed image.") if name == listing.opened.name else ""

        return lambda data: controller.run(data, turned)

    def go(data: dict[Any, Any]) -> list[Any]:
        return controller.run(data, lambda listing: (named(listing.captions, listing.names, data[position] or ""), ""))

    def left(data: dict[Any, Any]) -> list[Any]:
        """The field was left, often unchanged: then an update by another button must stay."""
        listing, _ = attempt(lambda: controller.listing(data))
        unchanged = listing and (data[position] or "").strip() in ("", str(listing.position), listing.opened.name)
        if listing is None or unchanged:
            return [gr.update(), *controller.unchanged()]
        return go(data)

    def typed(data: dict[Any, Any]) -> list[Any]:
        listing, problem = attempt(lambda: controller.listing(data))
        if listing is None:
            return [problem, *[gr.update()] * 4]
        return [gr.update(), listing.length(), *controller.edits(listing)]

    inputs = controller.inputs | {position}
    for event, handler in (
        (parts["captions_previous"].click, turn(-1)),
        (parts["captions_next"].click, turn(1)),
        (parts["captions_text"].submit, turn(1)),
        (position.submit, go),
        (position.blur, left),
    ):
        event(handler, inputs=inputs, outputs=controller.action_outputs, **QUIET)
    outputs = [parts[f"captions_{name}"] for name in ("notice", "length", "state", "undo", "redo")]
    parts["captions_text"].blur(typed, inputs=controller.inputs, outputs=outputs, **QUIET)


def _connect_list(parts: Parts, controller: CaptionEditorController) -> None:
    """The list, and the frequency of words."""
    find, options, show, pick = (parts[f"captions_{name}"] for name in ("find", "options", "show", "pick"))

    def listed(data: dict[Any, Any]) -> list[Any]:
        listing, problem = attempt(lambda: controller.listing(data))
        return [problem, gr.update()] if listing is None else [listing.rows(), str(listing.position or "")]

    def picked(data: dict[Any, Any]) -> list[Any]:
        """Search for a tag or word of the counts, alone."""
        if not data[pick]:
            return [gr.update() for _ in (find, options, show, pick, *outputs)]
        search = {find: data[pick], options: [WHOLE], show: ALL}
        return [*search.values(), "", *listed({**data, **search})]

    def counted(data: dict[Any, Any]) -> str:
        shown, problem = attempt(lambda: controller.counts(data, controller.listing(data).captions))
        return problem or shown or ""

    outputs = [parts["captions_list"], parts["captions_position"]]
    for event in (find.submit, find.blur, options.input, show.input):
        follow(event, listed, by=[find, options, show], inputs=controller.inputs, outputs=outputs)
    picks = [find, options, show, pick, *outputs]
    follow(pick.change, picked, by=[pick], inputs=controller.inputs | {pick}, outputs=picks)
    count, counts = parts["captions_count"], [parts["captions_counts"]]
    follow(count.input, counted, by=[count], inputs=controller.inputs, outputs=counts)


def _connect_saving(parts: Parts, controller: CaptionEditorController) -> None:
    def undo(listing: Listing) -> tuple[str, str]:
        return _after(listing.editor.undo(), listing.opened, "undo")

    def redo(listing: Listing) -> tuple[str, str]:
        return _after(listing.editor.redo(), listing.opened, "redo")

    def save(listing: Listing) -> tuple[str, str]:
        return listing.opened.name, _saved(listing.editor, listing.editor.save())

    def keep_mine(listing: Listing) -> tuple[str, str]:
        return listing.opened.name, _saved(listing.editor, listing.editor.save(overwrite=True))

    def use_disk(listing: Listing) -> tuple[str, str]:
        count = listing.editor.take_from_disk()
        return listing.opened.name, notice("good", [f"Captions loaded from disk: {count}. Undo restores yours."])

    def click(name: str, action: Action, options: Mapping[str, Any]) -> None:
        parts[f"captions_{name}"].click(
            lambda data: controller.run(data, action),
            inputs=controller.inputs,
            outputs=controller.action_outputs,
            **options,
        )

    click("undo", undo, QUIET)
    click("redo", redo, QUIET)
    click("save", save, FILES)
    click("keep_mine", keep_mine, FILES)
    click("use_disk", use_disk, FILES)


def _after(edit: CaptionEdit | None, opened: OpenImage, what: str) -> tuple[str, str]:
    """Return the image to open after undoing or redoing an edit: one that it changed."""
    if edit is None:
        return opened.name, notice("info", [f"There is nothing to {what}."])
    return (opened.name if opened.name in edit.after else next(iter(edit.after))), ""


def _saved(editor: Editor, count: int) -> str:
    if count:
        return notice("good", ["1 caption is saved." if count == 1 else f"{count} captions are saved."])
    return "" if editor.captions.changed else notice("info", ["There was nothing to save."])
