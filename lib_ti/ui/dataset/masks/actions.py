"""Actions of the step Masks: what its events do."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.masks import view
from lib_ti.ui.dataset.painting import layer
from lib_ti.ui.dataset.painting.image_picker import Data, ImagePicker
from lib_ti.ui.dataset.painting.view import PaintableImage, stage
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets import upload_field

if TYPE_CHECKING:
    from lib_ti.ui.dataset.masks import state
    from lib_ti.ui.dataset.masks.state import LossMasks, SavedMask
else:
    state = lazy("lib_ti.ui.dataset.masks.state")


def connect(parts: Parts) -> None:
    _Actions(parts).connect()


class _Actions:
    """Handlers of the step's events: they read the page's values and return updates."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._folders = parts, [parts.prepare["output"], parts.prepare["source"]]
        self._image, self._mask, self._file = (parts[f"masks_{name}"] for name in ("image", "mask", "file_uploaded"))
        self._shown = [parts["masks_stage"], self._mask, parts["masks_message"]]

    def connect(self) -> None:
        parts, shown = self._parts, self._shown
        inputs = {self._image, self._mask, *self._folders}
        ImagePicker(parts, "masks", self._folders, self._images, self._show, self._check, shown).connect("prepare")
        self._mask.input(self._save, inputs=inputs, outputs=[parts["masks_message"]], **QUIET)
        self._file.input(self._load, inputs={self._file, *inputs}, outputs=[*shown, parts["masks_file_answer"]], **BUSY)
        parts["masks_transparency"].click(self._from_transparency, inputs=inputs, outputs=shown, **BUSY)
        parts["masks_remove"].click(self._remove, inputs=inputs, outputs=shown, **BUSY)

    @cached_property
    def _masks(self) -> LossMasks:
        return state.LossMasks(self._parts.controller.host.folders)

    def _folder(self, data: Data) -> Path:
        output, source = (data[component] or "" for component in self._folders)
        return self._masks.folder(self._parts.preparation.output(source, output), source)

    def _images(self, data: Data) -> list[PaintableImage]:
        output, source = (data[component] or "" for component in self._folders)
        there = self._masks.exists(self._parts.preparation.output(source, output))
        return self._masks.images(self._folder(data)) if there else []

    def _check(self, data: Data, name: str) -> None:
        self._masks.stage(self._folder(data), name)

    def _show(self, data: Data, name: str, origin: layer.Origin = "shown") -> list[Any]:
        """Show an image with its mask, without a message."""
        if not name:
            return ["", "", ""]

        found, problem = attempt(lambda: self._masks.stage(self._folder(data), name))
        painted, _ = attempt(lambda: self._masks.layer(self._folder(data), name, origin))
        return [problem if found is None else stage(found, "ti_masks_mask"), painted or "", ""]

    def _save(self, data: Data) -> str:
        painted, problem = attempt(lambda: layer.read(data[self._mask] or ""))
        if painted is None:
            return problem
        saved, problem = attempt(lambda: self._masks.save(self._folder(data), painted))
        if saved is None:
            return view.not_saved(painted.number, problem)
        return view.saved(saved, painted.number, painted.key)

    def _after(self, data: Data, action: Callable[[Path, str], SavedMask], origin: layer.Origin) -> list[Any]:
        """Run an action on the mask of the chosen image, and update everything; ``origin`` names the action."""
        name = data[self._image] or ""
        saved, problem = attempt(lambda: action(self._folder(data), name))
        if saved is None:
            return [gr.update(), gr.update(), problem]
        return [*self._show(data, name, origin)[:2], view.saved(saved)]

    def _load(self, data: Data) -> list[Any]:
        text = data[self._file]

        def load(folder: Path, name: str) -> SavedMask:
            return self._masks.load(folder, name, upload_field.read_one(text))

        return [*self._after(data, load, "file"), upload_field.answered(text)]

    def _from_transparency(self, data: Data) -> list[Any]:
        return self._after(data, self._masks.from_transparency, "transparency")

    def _remove(self, data: Data) -> list[Any]:
        return self._after(data, self._masks.remove, "none")
