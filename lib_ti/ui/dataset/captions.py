"""Step: captions written by a model, and edited by hand, one by one and all at once."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.background.kinds import CAPTIONING
from lib_ti.background.tasks import TASKS
from lib_ti.config import CaptionConfig
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset import captions_desk, captions_page, captions_tools
from lib_ti.ui.dataset.captions_desk import FILES, Desk
from lib_ti.ui.dataset.captions_work import LABEL, Captions, Shown
from lib_ti.ui.html.fragments import hint, notice
from lib_ti.ui.parts import QUIET, Parts, choices
from lib_ti.ui.widgets.form import Form, dropdown

TITLE = "Captions"
_ROWS = (("captioner", "existing"), ("prefix", "suffix"), ("blacklist", "batch_size"))


def layout(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-line"):
        parts.keep(
            "captions_folder",
            gr.Textbox(
                label=LABEL,
                info="Empty: the prepared folder. Its texts change only when you save, or have captions written.",
                max_lines=1,
                elem_id="ti_captions_folder",
                scale=5,
            ),
        )
        parts.button("captions_open", "Open", scale=1)
    parts.html("captions_said")
    with gr.Accordion("Have captions written by a model", open=False):
        form = parts.caption = Form(CaptionConfig, "ti_caption", overrides={"captioner": dropdown()})
        for row in _ROWS:
            with gr.Row():
                form.add(*row)
        parts.button("captions_write", "Write captions", variant="primary")
        parts.html("captions_written")
    with gr.Column(visible=False) as desk:
        parts.keep("captions_desk", desk)
        captions_desk.layout(parts)
        captions_tools.layout(parts)


def connect(parts: Parts) -> None:
    work = Captions(parts.controller.host)
    desk = Desk(parts, work)
    _connect_folder(parts, _Folder(parts, work, desk))
    captions_desk.connect(parts, desk)
    captions_tools.connect(parts, desk)


class _Folder:
    """The folder that a page names: opened, and captioned by a model."""

    def __init__(self, parts: Parts, work: Captions, desk: Desk) -> None:
        self._parts, self._work, self._desk = parts, work, desk
        self._chosen, self._prepared, self._source, self._embedding = fields = (
            parts["captions_folder"], parts.prepare["output"], parts["dataset_folder"], parts.train["name"],
        )  # fmt: skip
        self.inputs = {*fields, *desk.inputs}
        self.outputs = [parts["captions_said"], parts["captions_desk"], *desk.places]
        """The components that :meth:`open` updates."""

    def open(self, data: dict[Any, Any]) -> list[Any]:
        # What was typed in the folder that was open until now is taken.
        attempt(lambda: self._desk.view(data))
        updates, problem = attempt(lambda: self._opened(data))
        return updates or [problem, *self._closed()]

    def _opened(self, data: dict[Any, Any]) -> list[Any]:
        missing = self._work.nothing_yet(*self._named(data))
        if missing:
            return [hint(missing), *self._closed()]
        editor, remarks = self._work.open(*self._named(data), data[self._source] or "")
        folder, before = str(editor.captions.folder), self._desk.shown(data)
        name = before.name if before.folder == folder else ""
        if name:
            # Again, for the program may have been started anew since.
            attempt(lambda: self._desk.view(data))
        shown = Shown(folder, name, room=self._work.room(data[self._embedding] or ""))
        said = notice("info", remarks)
        return [said, gr.update(visible=True), "", *self._desk.updates(data, editor, shown, name)]

    def _closed(self) -> list[Any]:
        return [gr.update(visible=False), "", *self._desk.nothing()]

    def written(self, data: dict[Any, Any]) -> str:
        """What the last captioning did, where it was of this folder, or how it failed."""
        if failed := self._parts.task_line.outcome(CAPTIONING):
            return failed
        folder, _ = attempt(lambda: self._work.folder(*self._named(data)))
        last = TASKS.result(CAPTIONING)
        return captions_page.written(last[1]) if last and last[0] == folder else ""

    def write(self, data: dict[Any, Any]) -> list[Any]:
        """Begin captioning; updates of what is said of it and of the work line."""
        attempt(lambda: self._desk.view(data))
        folder = self._work.folder(*self._named(data))
        action = self._work.captioning(folder, self._parts.caption.values(data))
        return self._parts.task_line.start(CAPTIONING, f"Captioning {folder.name}", action)

    def _named(self, data: dict[Any, Any]) -> tuple[str, str]:
        prepared = self._parts.preparation.output(data[self._source] or "", data[self._prepared] or "")
        return data[self._chosen] or "", prepared


def _connect_folder(parts: Parts, folder: _Folder) -> None:
    written, form, host = parts["captions_written"], parts.caption, parts.controller.host
    line = parts.task_line

    def enter(data: dict[Any, Any]) -> list[Any]:
        """The step is opened: with the captioners that there are, and what the last one did."""
        return [choices(host.tools.captioners), folder.written(data), *folder.open(data)]

    def write(data: dict[Any, Any]) -> list[Any]:
        updates, problem = attempt(lambda: folder.write(data))
        return updates or [problem, *line.updates()]

    def ended(data: dict[Any, Any]) -> list[Any]:
        if not line.ended(data, CAPTIONING):
            return [gr.update() for _ in (written, *folder.outputs)]
        return [folder.written(data), *folder.open(data)]

    for event in (parts["captions_open"].click, parts["captions_folder"].submit):
        event(folder.open, inputs=folder.inputs, outputs=folder.outputs, **FILES)
    parts["step_captions"].select(
        enter, inputs=folder.inputs, outputs=[form["captioner"], written, *folder.outputs], **FILES
    )
    line.done.change(ended, inputs=folder.inputs | {line.done}, outputs=[written, *folder.outputs], **QUIET)
    parts["captions_write"].click(
        write, inputs=folder.inputs | set(form.components), outputs=[written, *line.outputs], **QUIET
    )
