"""Actions of the step Remove: what its events do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import REMOVAL
from lib_ti.background.tasks import TASKS, TaskContext
from lib_ti.config.prepare import PrepareConfig
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.painting.image_picker import Data, ImagePicker, uploaded
from lib_ti.ui.dataset.painting.view import PaintableImage, stage
from lib_ti.ui.dataset.remove import view
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts

if TYPE_CHECKING:
    from lib_ti.ui.dataset.remove import state
    from lib_ti.ui.dataset.remove.state import Removals
else:
    state = lazy("lib_ti.ui.dataset.remove.state")

_MODEL = "model"


def connect(parts: Parts) -> None:
    _Actions(parts).connect()


class _Actions:
    """Handlers of the step's events: they read the page's values and return updates."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._form, self._line = parts, parts.prepare, parts.task_line
        self._image, self._mask, self._seed = (parts[f"remove_{name}"] for name in ("image", "mask", "seed"))
        self._shown = [parts["remove_stage"], self._mask, parts["remove_message"]]

    def connect(self) -> None:
        parts, shown, line = self._parts, self._shown, self._line
        done, file, painted = line.done, parts["remove_file"], shown[1:]
        inputs = {self._image, self._mask, self._seed, *self._form.components}
        ImagePicker(parts, "remove", self._form.components, self._images, self._show, shown).connect()
        parts["remove_start"].click(self._remove, inputs=inputs, outputs=[*shown, *line.outputs], **BUSY)
        line.show_outcome(REMOVAL, parts["remove_message"])
        done.change(self._ended, inputs={done, *inputs}, outputs=shown, **QUIET)
        parts["remove_compare"].click(self._compare, inputs=inputs, outputs=[parts["remove_message"]], **BUSY)
        parts["remove_find_text"].click(self._find_text, inputs=inputs, outputs=painted, **BUSY)
        file.upload(self._load, inputs={file, *inputs}, outputs=painted, **BUSY)
        parts["remove_undo"].click(self._undo, inputs=inputs, outputs=shown, **BUSY)
        parts["remove_redo"].click(self._redo, inputs=inputs, outputs=shown, **BUSY)

    @cached_property
    def _removals(self) -> Removals:
        return state.Removals(self._parts.controller.host)

    def _config(self, data: Data) -> PrepareConfig:
        return self._parts.preparation.config(self._form.values(data))

    def _images(self, data: Data) -> list[PaintableImage]:
        return self._removals.images(self._config(data))

    def _show(self, data: Data, name: str) -> list[Any]:
        """Show an image, without a painted layer and without a message."""
        return [self._stage(data, name) if name else "", "", ""]

    def _stage(self, data: Data, name: str) -> str:
        found, problem = attempt(lambda: self._removals.stage(self._config(data), name))
        return problem if found is None else stage(found, "ti_remove_mask")

    def _after(self, data: Data, action: Callable[[PrepareConfig, str], tuple[str, str]]) -> list[Any]:
        """Run an action on the chosen image, which returns a message and the painted layer; update all three."""
        name = data[self._image] or ""
        done, problem = attempt(lambda: action(self._config(data), name))
        if done is None:
            return [gr.update(), gr.update(), problem]
        message, layer = done
        return [self._stage(data, name), layer, notice("good", [message])]

    def _remove(self, data: Data) -> list[Any]:
        name, layer, seed = data[self._image] or "", data[self._mask] or "", int(data[self._seed] or 0)
        if data[self._form["fill"]] != _MODEL:
            done = self._after(data, lambda config, name: (self._removals.remove(config, name, layer, seed), ""))
            return [*done, *self._line.updates()]
        config, problem = attempt(lambda: self._config(data))
        if config is None:
            return [gr.update(), gr.update(), problem, *self._line.updates()]

        def work(task: TaskContext) -> str:
            return self._removals.remove(config, name, layer, seed, task.report_message)

        return [gr.update(), gr.update(), *self._line.start(REMOVAL, f"Removing in {name}", work)]

    def _compare(self, data: Data) -> list[Any]:
        name, layer, seed = data[self._image] or "", data[self._mask] or "", int(data[self._seed] or 0)
        fills, problem = attempt(lambda: self._removals.compare(self._config(data), name, layer, seed))
        return [problem if fills is None else view.compared_fills(fills)]

    def _ended(self, data: Data) -> list[Any]:
        if not self._line.succeeded(data, REMOVAL):
            return [gr.update()] * len(self._shown)
        return self._after(data, lambda *_: (TASKS.result(REMOVAL), ""))

    def _find_text(self, data: Data) -> list[Any]:
        name, layer = data[self._image] or "", data[self._mask] or ""
        return self._painted(lambda: self._removals.find_text(self._config(data), name, layer))

    def _load(self, data: Data) -> list[Any]:
        name, file = data[self._image] or "", uploaded(data[self._parts["remove_file"]])
        return self._painted(lambda: self._removals.load(self._config(data), name, file))

    @staticmethod
    def _painted(action: Callable[[], tuple[str, str]]) -> list[Any]:
        """Run an action that returns the painted layer and a message; update both."""
        done, problem = attempt(action)
        return [gr.update(), problem] if done is None else [done[0], notice("info", [done[1]])]

    def _undo(self, data: Data) -> list[Any]:
        return self._after(data, lambda config, name: self._removals.undo(config, name, data[self._mask] or ""))

    def _redo(self, data: Data) -> list[Any]:
        return self._after(data, lambda config, name: (self._removals.redo(config, name), ""))
