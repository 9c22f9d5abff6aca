"""The editor of the step Captions: a picture beside its text, the list of all, undo and saving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.prep.captions.search import Search
from lib_ti.prep.captions.token_budget import HINTS
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset import captions_page
from lib_ti.ui.dataset.captions_query import ALL, SHOWN, Query, named, neighbour
from lib_ti.ui.dataset.captions_view import View
from lib_ti.ui.dataset.captions_work import Captions, Shown
from lib_ti.ui.html.fragments import hint, notice
from lib_ti.ui.parts import BUSY, QUIET, Parts
from lib_ti.ui.widgets.latest import follow

if TYPE_CHECKING:
    from lib_ti.prep.captions.caption_set import CaptionEdit, CaptionSet
    from lib_ti.ui.dataset.captions_editing import Editor

REGEX, WHOLE, CASE, LACKING = "Regex", "Whole words", "Match case", "Lacking it"
TAGS, WORDS = "Tags", "Words"
_LINES = 6
FILES: Mapping[str, Any] = {**BUSY, "queue": False}
"""Of events that read or write many small files: not behind a picture that is drawn, in Gradio's queue."""

Action = Callable[[View], tuple[str, str]]
"""Does something, and returns the name of the picture to show and a box that says what was done."""


def layout(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=4, min_width=300):
            parts.html("captions_picture")
        with gr.Column(scale=4, min_width=300):
            _text(parts)
        with gr.Column(scale=4, min_width=300):
            _list(parts)


def _text(parts: Parts) -> None:
    parts.keep("captions_shown", gr.Textbox("", elem_id="ti_captions_shown", elem_classes="ti-hidden"))
    parts.keep(
        "captions_text",
        gr.Textbox(
            label="Caption",
            info="What the picture shows, in one line. Ctrl+Enter or Alt+↓: the next one; Alt+↑: the one before.",
            lines=_LINES,
            max_lines=_LINES,
            elem_id="ti_captions_text",
        ),
    )
    parts.html("captions_length")
    with gr.Row(elem_classes="ti-buttons ti-turn"):
        parts.button("captions_previous", "← Previous", size="sm", min_width=60)
        parts.keep(
            "captions_at",
            gr.Textbox(
                label="Number or name of a picture",
                show_label=False,
                placeholder="Number or name",
                max_lines=1,
                elem_id="ti_captions_at",
                container=False,
                min_width=60,
            ),
        )
        parts.button("captions_next", "Next →", size="sm", min_width=60)
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("captions_undo", "Undo", size="sm")
        parts.button("captions_redo", "Redo", size="sm")
        parts.button("captions_save", "Save", variant="primary", size="sm")
    parts.html("captions_noted")
    parts.html("captions_state")
    with gr.Row(elem_classes="ti-buttons", visible=False) as solve:
        parts.keep("captions_solve", solve)
        parts.button("captions_keep", "Keep what is here", size="sm")
        parts.button("captions_take", "Take what is on disk", size="sm")
    parts.html("captions_hints", captions_page.hints(HINTS))


def _list(parts: Parts) -> None:
    with gr.Row():
        parts.keep(
            "captions_find",
            gr.Textbox(
                label="Find",
                info="Lists the captions that have it.",
                max_lines=1,
                elem_id="ti_captions_find",
                scale=3,
                min_width=120,
            ),
        )
        parts.keep(
            "captions_show",
            gr.Dropdown(
                list(SHOWN),
                value=ALL,
                label="Show",
                info="Of those:",
                elem_id="ti_captions_show",
                scale=2,
                min_width=100,
            ),
        )
    parts.keep(
        "captions_options",
        gr.CheckboxGroup(
            [REGEX, WHOLE, CASE, LACKING], label="How to find", show_label=False, elem_id="ti_captions_options"
        ),
    )
    parts.html("captions_list")
    parts.keep("captions_pick", gr.Textbox("", elem_id="ti_captions_pick", elem_classes="ti-hidden"))
    with gr.Accordion("How often words and tags are used", open=False):
        parts.keep(
            "captions_count",
            gr.Radio([TAGS, WORDS], value=TAGS, label="Count", show_label=False, elem_id="ti_captions_count"),
        )
        parts.html("captions_counts")


class Desk:
    """The fields of the editor on a page: what is read from them, and what is written to them."""

    def __init__(self, parts: Parts, work: Captions) -> None:
        self._parts, self._work = parts, work
        self.inputs = {parts[f"captions_{name}"] for name in "shown text find options show count".split()}
        names = "shown text picture length at state solve list counts"
        self.outputs = [parts[f"captions_{name}"] for name in names.split()]
        """The components that :meth:`updates` updates."""
        self.places = [parts["captions_noted"], *self.outputs]
        """The outputs of what :meth:`act`: where it says what was done, and all others."""

    def act(self, data: dict[Any, Any], action: Action) -> list[Any]:
        """A button's work: what is in the text field is taken, the action done, and the page shows what is then."""

        def done() -> list[Any]:
            view = self.view(data)
            name, said = action(view)
            return [said, *self.updates(data, view.editor, view.shown, name)]

        updates, problem = attempt(done)
        return updates or [problem, *self.nothing()]

    def view(self, data: dict[Any, Any]) -> View:
        """What the page has open, once the editor has what is in the text field."""
        shown = self.shown(data)
        editor = self._work.editor(shown.folder)
        editor.type(shown.name, shown.text, self._value(data, "text"))
        return self._view(data, editor, shown, shown.name)

    def shown(self, data: dict[Any, Any]) -> Shown:
        return Shown.from_text(self._value(data, "shown"))

    def updates(self, data: dict[Any, Any], editor: Editor, shown: Shown, name: str) -> list[Any]:
        """The page with one of the pictures open."""
        view = self._view(data, editor, shown, name)
        before, typed = self.shown(data), self._value(data, "text")
        # A text that is in the field already is left, and the writer's place in it with it.
        same = replace(view.shown, text=before.text) == before and typed.split() == view.shown.text.split()
        return [
            gr.update() if same else view.shown.to_text(),
            gr.update() if same else view.shown.text,
            view.picture(),
            view.length(),
            str(view.place or ""),
            view.state(),
            gr.update(visible=bool(editor.conflicts)),
            view.listing(),
            self.counts(data, view.captions),
        ]

    def nothing(self) -> list[Any]:
        """Updates that change nothing."""
        return [gr.update() for _ in self.outputs]

    def counts(self, data: dict[Any, Any], captions: CaptionSet) -> str:
        from lib_ti.prep.captions.bulk_edits import word_frequency
        from lib_ti.prep.captions.tags import frequency

        count = word_frequency if self._value(data, "count") == WORDS else frequency
        return captions_page.counts(count(captions.texts.values()))

    def _view(self, data: dict[Any, Any], editor: Editor, shown: Shown, name: str) -> View:
        options = self._value(data, "options") or ()
        search = Search(self._value(data, "find"), REGEX in options, WHOLE in options, CASE in options)
        query = Query(search, LACKING in options, self._value(data, "show") or ALL)
        return View.of(self._work, editor, shown, query, name)

    def _value(self, data: dict[Any, Any], name: str) -> Any:
        return data[self._parts[f"captions_{name}"]] or ""


def connect(parts: Parts, desk: Desk) -> None:
    _connect_turning(parts, desk)
    _connect_list(parts, desk)
    _connect_saving(parts, desk)


def _connect_turning(parts: Parts, desk: Desk) -> None:
    """From picture to picture, and what is typed."""
    at = parts["captions_at"]

    def turn(step: int) -> Callable[[dict[Any, Any]], list[Any]]:
        def turned(view: View) -> tuple[str, str]:
            name = neighbour(view.captions, view.names, view.shown.name, step)
            end = "last" if step > 0 else "first"
            return name, hint(f"This is the {end} one that is listed.") if name == view.shown.name else ""

        return lambda data: desk.act(data, turned)

    def go(data: dict[Any, Any]) -> list[Any]:
        return desk.act(data, lambda view: (named(view.captions, view.names, data[at] or ""), ""))

    def left(data: dict[Any, Any]) -> list[Any]:
        """The field is left: often with what it showed, and then what another button did meanwhile must stay."""
        view, _ = attempt(lambda: desk.view(data))
        if view is None or (data[at] or "").strip() in ("", str(view.place), view.shown.name):
            return [gr.update(), *desk.nothing()]
        return go(data)

    def typed(data: dict[Any, Any]) -> list[Any]:
        view, problem = attempt(lambda: desk.view(data))
        return [problem, gr.update(), gr.update()] if view is None else [gr.update(), view.length(), view.state()]

    inputs = desk.inputs | {at}
    for event, handler in (
        (parts["captions_previous"].click, turn(-1)),
        (parts["captions_next"].click, turn(1)),
        (parts["captions_text"].submit, turn(1)),
        (at.submit, go),
        (at.blur, left),
    ):
        event(handler, inputs=inputs, outputs=desk.places, **QUIET)
    outputs = [parts[f"captions_{name}"] for name in ("noted", "length", "state")]
    parts["captions_text"].blur(typed, inputs=desk.inputs, outputs=outputs, **QUIET)


def _connect_list(parts: Parts, desk: Desk) -> None:
    """What is listed, and how often words are used."""
    find, options, show, pick = (parts[f"captions_{name}"] for name in ("find", "options", "show", "pick"))

    def listed(data: dict[Any, Any]) -> list[Any]:
        view, problem = attempt(lambda: desk.view(data))
        return [problem, gr.update()] if view is None else [view.listing(), str(view.place or "")]

    def picked(data: dict[Any, Any]) -> list[Any]:
        """A tag or word of the counts is looked for, alone."""
        if not data[pick]:
            return [gr.update() for _ in (find, options, show, pick, *outputs)]
        looked_for = {find: data[pick], options: [WHOLE], show: ALL}
        return [*looked_for.values(), "", *listed({**data, **looked_for})]

    def counted(data: dict[Any, Any]) -> str:
        shown, problem = attempt(lambda: desk.counts(data, desk.view(data).captions))
        return problem or shown or ""

    outputs = [parts["captions_list"], parts["captions_at"]]
    for event in (find.submit, find.blur, options.input, show.input):
        follow(event, listed, by=[find, options, show], inputs=desk.inputs, outputs=outputs)
    picks = [find, options, show, pick, *outputs]
    follow(pick.change, picked, by=[pick], inputs=desk.inputs | {pick}, outputs=picks)
    count, counts = parts["captions_count"], [parts["captions_counts"]]
    follow(count.input, counted, by=[count], inputs=desk.inputs, outputs=counts)


def _connect_saving(parts: Parts, desk: Desk) -> None:
    def undo(view: View) -> tuple[str, str]:
        return _after(view.editor.undo(), view.shown, "undo")

    def redo(view: View) -> tuple[str, str]:
        return _after(view.editor.redo(), view.shown, "do again")

    def save(view: View) -> tuple[str, str]:
        return view.shown.name, _saved(view.editor, view.editor.save())

    def keep(view: View) -> tuple[str, str]:
        return view.shown.name, _saved(view.editor, view.editor.save(overwrite=True))

    def take(view: View) -> tuple[str, str]:
        count = view.editor.take_from_disk()
        return view.shown.name, notice("good", [f"Taken from disk: {count}. Undo brings yours back."])

    def click(name: str, action: Action, how: Mapping[str, Any]) -> None:
        parts[f"captions_{name}"].click(
            lambda data: desk.act(data, action), inputs=desk.inputs, outputs=desk.places, **how
        )

    click("undo", undo, QUIET)
    click("redo", redo, QUIET)
    click("save", save, FILES)
    click("keep", keep, FILES)
    click("take", take, FILES)


def _after(step: CaptionEdit | None, shown: Shown, what: str) -> tuple[str, str]:
    """The picture to show after a step was undone or done again: one that it changed."""
    if step is None:
        return shown.name, notice("info", [f"There is nothing to {what}."])
    return (shown.name if shown.name in step.after else next(iter(step.after))), ""


def _saved(editor: Editor, count: int) -> str:
    if count:
        return notice("good", ["1 caption is saved." if count == 1 else f"{count} captions are saved."])
    return "" if editor.captions.changed else notice("info", ["There was nothing to save."])
