"""Actions of the step Captions: opening a folder, and generating captions."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.background.kinds import CAPTIONING
from lib_ti.background.tasks import TASKS
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.captions import bulk_actions, editor_actions, view
from lib_ti.ui.dataset.captions.controller import FILES, CaptionEditorController
from lib_ti.ui.dataset.captions.service import CaptionService, OpenImage
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.html.fragments import hint, notice
from lib_ti.ui.parts import Parts, choices


def connect(parts: Parts) -> None:
    service = CaptionService(parts.controller.host)
    controller = CaptionEditorController(parts, service)
    _connect_folder(parts, _FolderActions(parts, service, controller))
    editor_actions.connect(parts, controller)
    bulk_actions.connect(parts, controller)


class _FolderActions:
    """Actions on the folder that a page names: open it, and generate its captions."""

    def __init__(self, parts: Parts, service: CaptionService, controller: CaptionEditorController) -> None:
        self._parts, self._service, self._controller = parts, service, controller
        self._chosen, self._prepared, self._source, self._embedding = fields = (
            parts["captions_folder"], parts.prepare["output"], parts["dataset_folder"], parts.train["name"],
        )  # fmt: skip
        self.inputs = {*fields, *controller.inputs}
        self.outputs = [parts["captions_message"], parts["captions_editor"], *controller.action_outputs]
        """The components that :meth:`open` updates."""

    def open(self, data: dict[Any, Any]) -> list[Any]:
        # Take the text that was typed in the folder that was open until now.
        attempt(lambda: self._controller.listing(data))
        updates, problem = attempt(lambda: self._opened(data))
        return updates or [problem, *self._closed()]

    def _opened(self, data: dict[Any, Any]) -> list[Any]:
        missing = self._service.missing_folder(*self._folders(data))
        if missing:
            return [hint(missing), *self._closed()]
        editor, remarks = self._service.open(*self._folders(data), data[self._source] or "")
        folder, before = str(editor.captions.folder), self._controller.opened(data)
        name = before.name if before.folder == folder else ""
        if name:
            # Again, since the program may have been restarted and has only now opened the folder.
            attempt(lambda: self._controller.listing(data))
        opened = OpenImage(folder, name, budget=self._service.token_budget(data[self._embedding] or ""))
        updates = self._controller.updates(data, editor, opened, name)
        return [notice("info", remarks), gr.update(visible=True), "", *updates]

    def _closed(self) -> list[Any]:
        return [gr.update(visible=False), "", *self._controller.unchanged()]

    def result(self, data: dict[Any, Any]) -> str:
        """Return what the last captioning of this folder did, or how it failed."""
        if failed := self._parts.task_line.outcome(CAPTIONING):
            return str(failed)
        folder, _ = attempt(lambda: self._service.folder(*self._folders(data)))
        last = TASKS.result(CAPTIONING)
        return view.captioning_result(last[1]) if last and last[0] == folder else ""

    def lacks_captions(self, data: dict[Any, Any]) -> bool:
        """Whether no image of the folder has a caption of its own; it must be open."""
        editor, _ = attempt(lambda: self._service.editor(str(self._service.folder(*self._folders(data)))))
        return editor is not None and not any(
            text and editor.captions.on_disk[name].source != "name" for name, text in editor.captions.texts.items()
        )

    def generate(self, data: dict[Any, Any]) -> list[Any]:
        """Start captioning; return updates of its message and of the task line."""
        attempt(lambda: self._controller.listing(data))
        folder = self._service.folder(*self._folders(data))
        action = self._service.captioning(folder, self._parts.caption.values(data))
        updates: list[Any] = self._parts.task_line.start(CAPTIONING, f"Captioning {folder.name}", action)
        return updates

    def _folders(self, data: dict[Any, Any]) -> tuple[str, str]:
        prepared = self._parts.preparation.output(data[self._source] or "", data[self._prepared] or "")
        return data[self._chosen] or "", prepared


def _connect_folder(parts: Parts, folder: _FolderActions) -> None:
    result, form, host, line = parts["captions_result"], parts.caption, parts.controller.host, parts.task_line

    def enter(data: dict[Any, Any]) -> list[Any]:
        """Open the step: with the captioners, unfolded where they have something to do, and the last result."""
        captioners, updates = list(host.tools.captioners), folder.open(data)
        unfolded = gr.update(open=True) if captioners and folder.lacks_captions(data) else gr.update()
        return [choices(captioners), unfolded, folder.result(data), *updates]

    def generate(data: dict[Any, Any]) -> list[Any]:
        updates, problem = attempt(lambda: folder.generate(data))
        return updates or [problem, *line.updates()]

    def ended(data: dict[Any, Any]) -> list[Any]:
        if not line.ended(data, CAPTIONING):
            return [gr.update() for _ in (result, *folder.outputs)]
        return [folder.result(data), *folder.open(data)]

    for event in (parts["captions_open"].click, parts["captions_folder"].submit):
        event(folder.open, inputs=folder.inputs, outputs=folder.outputs, **FILES)
    parts["step_captions"].select(
        enter,
        inputs=folder.inputs,
        outputs=[form["captioner"], parts["captions_model"], result, *folder.outputs],
        **FILES,
    )
    line.done.change(ended, inputs=folder.inputs | {line.done}, outputs=[result, *folder.outputs], **QUIET)
    parts["captions_generate"].click(
        generate, inputs=folder.inputs | set(form.components), outputs=[result, *line.outputs], **QUIET
    )
