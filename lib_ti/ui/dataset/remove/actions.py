"""Actions of the step Remove: what its events do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import FILLS, REMOVAL
from lib_ti.background.tasks import TASKS, TaskContext
from lib_ti.config.prepare import PrepareConfig
from lib_ti.lazy import lazy
from lib_ti.paths import path_text
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.painting.image_picker import Data, ImagePicker
from lib_ti.ui.dataset.painting.view import PaintableImage, stage
from lib_ti.ui.dataset.remove import view
from lib_ti.ui.dataset.remove.review import actions as review_actions
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets import upload_field

if TYPE_CHECKING:
    from lib_ti.ui.dataset.remove import fills, state
    from lib_ti.ui.dataset.remove.fills import FillComparison, FillRequest
    from lib_ti.ui.dataset.remove.state import Removals, RemovedArea
else:
    fills = lazy("lib_ti.ui.dataset.remove.fills")
    state = lazy("lib_ti.ui.dataset.remove.state")


def connect(parts: Parts) -> None:
    _Actions(parts).connect()


class _Actions:
    """Handlers of the step's events: they read the page's values and return updates."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._form, self._line = parts, parts.prepare, parts.task_line
        names = ("image", "mask", "seed", "choose", "message", "fills")
        self._image, self._mask, self._seed, self._choice, self._message, self._fills = (
            parts[f"remove_{name}"] for name in names
        )
        self._shown = [parts["remove_stage"], self._mask, self._message, self._fills]

    def connect(self) -> None:
        parts, shown, line = self._parts, self._shown, self._line
        done, file, painted = line.done, parts["remove_file_uploaded"], [self._mask, self._message]
        inputs = {self._image, self._mask, self._seed, *self._form.components}
        picker = ImagePicker(parts, "remove", self._form.components, self._images, self._show, self._check, shown)
        picker.connect("inspect")
        review_actions.connect(parts, picker)
        task = [self._message, *line.outputs]
        parts["remove_start"].click(self._remove, inputs=inputs, outputs=task, **BUSY)
        parts["remove_compare"].click(self._compare, inputs=inputs, outputs=task, **BUSY)
        for kind in (REMOVAL, FILLS):
            line.show_outcome(kind, self._message)
        done.change(self._ended, inputs={done, *inputs}, outputs=shown, **QUIET)
        self._choice.input(self._choose, inputs={self._choice, *inputs}, outputs=shown, **BUSY)
        parts["remove_find_text"].click(self._find_text, inputs=inputs, outputs=painted, **BUSY)
        file.input(self._load, inputs={file, *inputs}, outputs=[*painted, parts["remove_file_answer"]], **BUSY)
        parts["remove_undo"].click(self._undo, inputs=inputs, outputs=shown, **BUSY)
        parts["remove_redo"].click(self._redo, inputs=inputs, outputs=shown, **BUSY)

    @cached_property
    def _removals(self) -> Removals:
        return state.Removals(self._parts.controller.host)

    def _config(self, data: Data) -> PrepareConfig:
        return self._parts.preparation.config(self._form.values(data))

    def _images(self, data: Data) -> list[PaintableImage]:
        chosen = path_text(str(data[self._form["source"]] or ""))
        return self._removals.images(self._config(data)) if chosen else []

    def _check(self, data: Data, name: str) -> None:
        self._removals.find(self._config(data), name)

    def _show(self, data: Data, name: str) -> list[Any]:
        """Show an image, without a painted layer and without a message."""
        return [self._stage(data, name) if name else "", "", "", ""]

    def _stage(self, data: Data, name: str) -> str:
        found, problem = attempt(lambda: self._removals.stage(self._config(data), name))
        return problem if found is None else stage(found, "ti_remove_mask")

    def _request(self, data: Data) -> FillRequest:
        """Return what a button is to fill; raises :class:`BadInput` when nothing is painted."""
        name, layer, seed = data[self._image] or "", data[self._mask] or "", int(data[self._seed] or 0)
        request = fills.FillRequest(self._config(data), name, layer, seed)
        self._removals.check(request)
        return request

    def _remove(self, data: Data) -> list[Any]:
        request, problem = attempt(lambda: self._request(data))
        if request is None:
            return [problem, *self._line.updates()]

        def work(task: TaskContext) -> RemovedArea:
            return self._removals.remove(request, task.report_message)

        return self._line.start(REMOVAL, f"Removing in {request.name}", work)

    def _compare(self, data: Data) -> list[Any]:
        request, problem = attempt(lambda: self._request(data))
        if request is None:
            return [problem, *self._line.updates()]

        def work(task: TaskContext) -> FillComparison:
            return self._removals.compare(request, task)

        return self._line.start(FILLS, f"Comparing fills in {request.name}", work)

    def _ended(self, data: Data) -> list[Any]:
        """Show what a task has done, where the page still shows its image."""
        if self._line.succeeded(data, REMOVAL):
            return self._removed(data, TASKS.result(REMOVAL))
        compared = TASKS.result(FILLS) if self._line.succeeded(data, FILLS) else None
        if compared is None or compared.name != data[self._image]:
            return [gr.update()] * len(self._shown)
        return [gr.update(), gr.update(), "", view.compared_fills(compared)]

    def _choose(self, data: Data) -> list[Any]:
        key, _, method = (data[self._choice] or "").partition(" ")
        method = method.partition(" ")[0]
        removed, problem = attempt(lambda: self._removals.choose(TASKS.result(FILLS), key, method))
        return [gr.update(), gr.update(), problem, gr.update()] if removed is None else self._removed(data, removed)

    def _removed(self, data: Data, removed: RemovedArea) -> list[Any]:
        message = notice("good", [removed.message])
        config, _ = attempt(lambda: self._config(data))
        if config is None or removed.name != data[self._image] or Path(removed.source) != Path(config.source):
            return [gr.update(), gr.update(), message, gr.update()]
        layer, problem = attempt(lambda: self._removals.remaining(config, removed, data[self._mask] or ""))
        return [self._stage(data, removed.name), gr.update() if layer is None else layer, message + problem, ""]

    def _find_text(self, data: Data) -> list[Any]:
        name, layer = data[self._image] or "", data[self._mask] or ""
        return self._painted(lambda: self._removals.find_text(self._config(data), name, layer))

    def _load(self, data: Data) -> list[Any]:
        name, text = data[self._image] or "", data[self._parts["remove_file_uploaded"]]
        shown = self._painted(lambda: self._removals.load(self._config(data), name, upload_field.read_one(text)))
        return [*shown, upload_field.answered(text)]

    @staticmethod
    def _painted(action: Callable[[], tuple[str, str]]) -> list[Any]:
        """Run an action that returns the painted layer and a message; update both."""
        done, problem = attempt(action)
        return [gr.update(), problem] if done is None else [done[0], notice("info", [done[1]])]

    def _undo(self, data: Data) -> list[Any]:
        return self._after(data, lambda config, name: self._removals.undo(config, name, data[self._mask] or ""))

    def _redo(self, data: Data) -> list[Any]:
        return self._after(data, self._removals.redo)

    def _after(self, data: Data, action: Callable[[PrepareConfig, str], tuple[str, str]]) -> list[Any]:
        """Run an action on the chosen image, which returns a message and the painted layer; update everything."""
        name = data[self._image] or ""
        done, problem = attempt(lambda: action(self._config(data), name))
        if done is None:
            return [gr.update(), gr.update(), problem, gr.update()]
        message, layer = done
        return [self._stage(data, name), layer, notice("good", [message]), ""]
