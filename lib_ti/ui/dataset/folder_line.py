"""The source folder, and the folder that its images are prepared into, in the step Inspect. All steps use them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from lib_ti.paths import path_text
from lib_ti.ui import recent_folders
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets import own_size, upload_field

Data = Mapping[Any, Any]


def layout(parts: Parts, button: Callable[[], Any]) -> None:
    """Lay out the folders; ``button`` adds what is done with the images."""
    form = parts.prepare
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=3, min_width=320):
            with gr.Row(elem_classes="ti-line"):
                field = form.inputs["source"] = parts.keep(
                    "dataset_folder",
                    gr.Textbox(
                        label="Folder with your images",
                        info="Never changed. Captions are .txt or .caption files of the same names.",
                        max_lines=1,
                        elem_id="ti_dataset_folder",
                        scale=5,
                    ),
                )
                parts.browse(field)
                button()
            form.add("subfolders")
        with gr.Column(scale=2, min_width=320):
            upload_field.layout(parts, "dataset_files", "Or images, or a zip of images")
    parts.keep("dataset_suggested", gr.State(""))
    with gr.Accordion("Prepared folder and image size", open=False):
        form.add("output")
        with gr.Row():
            form.add("width", "height")
    parts.keep("prepare_own_size", gr.State(0))  # what they were filled in with from the model, 0 if they were not
    parts.html("dataset_message")
    # Kept by the page and not by the server, so that a button's handler sees what the page showed when it was pressed.
    parts.keep("dataset_shown", gr.Textbox("", show_label=False, elem_id="ti_dataset_shown", elem_classes="ti-hidden"))


class FolderLine:
    """The two folders on a page, and the settings with which the second one was prepared."""

    def __init__(self, parts: Parts) -> None:
        self._preparation, self._form = parts.preparation, parts.prepare
        self._source, self._output = parts["dataset_folder"], parts.prepare["output"]
        self._suggested, self._shown, self._message = (
            parts[f"dataset_{name}"] for name in ("suggested", "shown", "message")
        )
        self._own_size = parts["prepare_own_size"]
        self._settings = [name for name in parts.prepare.inputs if name not in ("source", "output")]
        self.inputs = {self._source, self._output, self._suggested, self._shown}
        self.outputs = [
            self._output, self._suggested, self._shown, self._message, self._own_size,
            *(parts.prepare[name] for name in self._settings),
        ]  # fmt: skip
        """The components that :meth:`follow` updates."""

    def follow(self, data: Data) -> list[Any]:
        """Suggest a prepared folder for the source folder unless another one was entered, and load its settings."""
        source, suggested = data[self._source] or "", data[self._suggested]
        before = output = (data[self._output] or "").strip()
        if not output or output == suggested:
            output = suggested = self._preparation.suggested_output(source)
        # Only if it is new, since someone may be typing in the field.
        field = gr.update() if output == before else gr.update(value=output)
        shown = _stamp(source, output)
        if shown == data[self._shown]:
            return [field, suggested, *[gr.update()] * (3 + len(self._settings))]
        message, settings = self._open(source, output)
        updates = (gr.update(value=settings[name]) if name in settings else gr.update() for name in self._settings)
        own_size = 0 if "width" in settings else gr.update()
        return [field, suggested, shown, message, own_size, *updates]

    def enter(self, data: Data) -> list[Any]:
        """Do as :meth:`follow`, and remember a source folder that the page did not show before."""
        source = path_text(data[self._source] or "")
        if source and _stamp(data[self._source], (data[self._output] or "").strip()) != data[self._shown]:
            recent_folders.remember(self._preparation.host.folders, source)
        return self.follow(data)

    def load(self, data: Data) -> list[Any]:
        """Return updates for a new page: of the source folder, which is the last one, and of :attr:`outputs`."""
        source = data[self._source] or self._preparation.last_source()
        folder = gr.update(value=source) if source != data[self._source] else gr.update()
        return [folder, *self.follow({**data, self._source: source, self._shown: ""})]

    def values(self, data: Data) -> dict[str, Any]:
        """Return the form's values, without a prepared folder that was only suggested.

        A button may be pressed before the suggestion for a new source folder has arrived: the field then still has the
        one for the former source, which nobody chose.
        """
        values = self._form.values(data)
        if values["output"].strip() == data[self._suggested]:
            values["output"] = ""
        return values

    def outdated(self, data: Data) -> str:
        """Return a box if the page did not show the prepared folder's settings yet when a button was pressed, else
        nothing.

        Preparing with other settings would rename or remake results unexpectedly.
        """
        source = data[self._source] or ""
        output = self._preparation.output(source, self.values(data)["output"])
        settings, _ = attempt(lambda: self._preparation.settings(output))
        if _stamp(source, output) == data[self._shown] or not settings:
            return ""
        values = self._form.values(data)
        if all(settings.get(name, values[name]) == values[name] for name in self._settings):
            return ""
        message = (
            f"{output} was prepared with other settings, which are loaded now: check them, and press Prepare again."
        )
        return notice("warning", [message])

    def _open(self, source: str, output: str) -> tuple[str, Mapping[str, Any]]:
        """Return a box about the prepared folder, and its settings."""
        opened, problem = attempt(lambda: self._preparation.open(source, output))
        if opened is None:
            return problem, {}
        sentences, settings = opened
        return notice("info", sentences), settings


def _stamp(source: str, output: str) -> str:
    """Hash both folders."""
    return hashlib.sha256(f"{source.strip()}\n{output}".encode("utf-8", "replace")).hexdigest()


def connect(parts: Parts) -> None:
    line = FolderLine(parts)
    form, output = parts.prepare, parts.prepare["output"]
    folder = parts["dataset_folder"]
    # A folder may have come from the sub-tab Start.
    opened, inspected = parts["dataset_tab"].select, parts["inspect_start"].click
    events = (opened, folder.blur, folder.submit, output.blur, output.submit, inspected)
    for event in (*events, parts.folder_chosen.then):
        event(line.enter, inputs=line.inputs, outputs=line.outputs, **QUIET)
    models = parts.controller.host.models
    own_size.connect(
        parts["dataset_tab"], (form["width"], form["height"]), parts["prepare_own_size"], lambda: models.size
    )
