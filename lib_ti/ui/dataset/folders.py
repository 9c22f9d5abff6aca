"""The line above the steps: the folder of the images, and the one that they are prepared into. All steps go by it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import gradio as gr

from lib_ti.ui.attempt import attempt
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import QUIET, Parts

Data = Mapping[Any, Any]


def layout(parts: Parts) -> None:
    form = parts.prepare
    with gr.Row(elem_classes="ti-line"):
        form.inputs["source"] = parts.keep(
            "dataset_folder",
            gr.Textbox(
                label="Folder with your pictures",
                info="A .txt or .caption file of the same name is an image's caption. Nothing in it is written to.",
                max_lines=1,
                elem_id="ti_dataset_folder",
                scale=5,
            ),
        )
        parts.button("dataset_show", "Show pictures", variant="primary", scale=1)
    form.add("subfolders")
    parts.keep("dataset_suggested", gr.State(""))
    with gr.Accordion("Where the prepared pictures go, and their size", open=False):
        form.add("output")
        with gr.Row():
            form.add("width", "height")
    parts.html("dataset_said")
    # Kept by the page and not by the server: a button's work then sees what the page showed when it was pressed.
    parts.keep("dataset_shown", gr.Textbox("", show_label=False, elem_id="ti_dataset_shown", elem_classes="ti-hidden"))


class Folders:
    """The two folders on a page, and the settings that the second one was prepared with."""

    def __init__(self, parts: Parts) -> None:
        self._preparation, self._form = parts.preparation, parts.prepare
        self._source, self._output = parts["dataset_folder"], parts.prepare["output"]
        self._suggested, self._shown, self._said = (parts[f"dataset_{name}"] for name in ("suggested", "shown", "said"))
        self._settings = [name for name in parts.prepare.inputs if name not in ("source", "output")]
        self.inputs = {self._source, self._output, self._suggested, self._shown}
        self.outputs = [
            self._output, self._suggested, self._shown, self._said, *(parts.prepare[name] for name in self._settings),
        ]  # fmt: skip
        """The components that :meth:`follow` updates."""

    def follow(self, data: Data) -> list[Any]:
        """The prepared folder follows the images' own as long as nobody names another one, and brings its settings."""
        source, suggested = data[self._source] or "", data[self._suggested]
        before = named = (data[self._output] or "").strip()
        if not named or named == suggested:
            named = suggested = self._preparation.suggested_output(source)
        # Only what is new: meanwhile somebody may be typing in the field.
        output = gr.update() if named == before else gr.update(value=named)
        shown = _stamp(source, named)
        if shown == data[self._shown]:
            return [output, suggested, *[gr.update()] * (2 + len(self._settings))]
        said, settings = self._arrive(source, named)
        updates = (gr.update(value=settings[name]) if name in settings else gr.update() for name in self._settings)
        return [output, suggested, shown, said, *updates]

    def load(self, data: Data) -> list[Any]:
        """Updates for a new page: of the folder of the images, which is the last one, and of :attr:`outputs`."""
        source = data[self._source] or self._preparation.last_source()
        folder = gr.update(value=source) if source != data[self._source] else gr.update()
        return [folder, *self.follow({**data, self._source: source, self._shown: ""})]

    def behind(self, data: Data) -> str:
        """A box where the page did not show the prepared folder's settings yet when a button was pressed, or nothing.

        Preparing with others would rename or remake results, and not as the person saw it.
        """
        source, named = (data[one] or "" for one in (self._source, self._output))
        named = self._preparation.output(source, named)
        settings, _ = attempt(lambda: self._preparation.settings(named))
        if _stamp(source, named) == data[self._shown] or not settings:
            return ""
        values = self._form.values(data)
        if all(settings.get(name, values[name]) == values[name] for name in self._settings):
            return ""
        said = f"{named} was prepared with other settings, which are loaded now: look at them, and press Prepare again."
        return notice("warning", [said])

    def _arrive(self, source: str, named: str) -> tuple[str, Mapping[str, Any]]:
        """What there is to say of a prepared folder, and its settings."""
        arrived, problem = attempt(lambda: self._preparation.arrive(source, named))
        if arrived is None:
            return problem, {}
        sentences, settings = arrived
        return notice("info", sentences), settings


def _stamp(source: str, named: str) -> str:
    """Stands for both folders, of however long names."""
    return hashlib.sha256(f"{source.strip()}\n{named}".encode("utf-8", "replace")).hexdigest()


def connect(parts: Parts) -> None:
    folders = Folders(parts)
    output = parts.prepare["output"]
    folder = parts["dataset_folder"]
    for event in (folder.blur, folder.submit, output.blur, output.submit, parts["dataset_show"].click):
        event(folders.follow, inputs=folders.inputs, outputs=folders.outputs, **QUIET)
