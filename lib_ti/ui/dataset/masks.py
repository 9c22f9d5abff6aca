"""Step: what counts in the loss, painted over prepared pictures or taken from files."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset import choice
from lib_ti.ui.dataset.choice import Choice, Data, uploaded
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import BUSY, QUIET, Parts

if TYPE_CHECKING:
    from lib_ti.ui.dataset.masks_work import Kept, Masks
    from lib_ti.ui.dataset.paint_page import Choosable

TITLE = "Masks"
_ABOUT = (
    "Paint what is not to be learned, such as a background: red does not count. Nothing painted: the whole picture "
    "counts. What you paint is kept at once. Training uses masks while “Use PNG alpha channel as loss weight” is on in "
    "the Train tab; “Use for training” turns it on."
)


def layout(parts: Parts) -> None:
    choice.layout(parts, "masks", "A picture of the prepared folder.")
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=3, min_width=320):
            parts.html("masks_stage")
        with gr.Column(scale=1, min_width=320):
            parts.html("masks_about", hint(_ABOUT))
            parts.html("masks_said")
            parts.button("masks_transparency", "From transparency", size="sm")
            parts.button("masks_remove", "Remove mask", size="sm")
            with gr.Accordion("Take a mask from a file", open=False):
                parts.keep(
                    "masks_file",
                    gr.File(label="Picture of the same shape, white where it counts", elem_id="ti_masks_file"),
                )
    # What is painted, from the page's script and to it; its "input" is what saves.
    parts.keep("masks_mask", gr.Textbox("", show_label=False, elem_id="ti_masks_mask", elem_classes="ti-hidden"))


def connect(parts: Parts) -> None:
    _Step(parts).connect()


class _Step:
    """What the buttons do: from what the page holds to updates of what it shows."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._folders = parts, [parts.prepare["output"], parts.prepare["source"]]
        self._picture, self._mask, self._file = (parts[f"masks_{name}"] for name in ("picture", "mask", "file"))
        self._shown = [parts["masks_stage"], self._mask, parts["masks_said"]]

    def connect(self) -> None:
        parts, shown = self._parts, self._shown
        inputs = {self._picture, self._mask, *self._folders}
        Choice(parts, "masks", self._folders, self._pictures, self._show, shown).connect()
        self._mask.input(self._save, inputs=inputs, outputs=[parts["masks_said"]], **QUIET)
        self._file.upload(self._load, inputs={self._file, *inputs}, outputs=shown, **BUSY)
        parts["masks_transparency"].click(self._from_transparency, inputs=inputs, outputs=shown, **BUSY)
        parts["masks_remove"].click(self._remove, inputs=inputs, outputs=shown, **BUSY)

    @cached_property
    def _masks(self) -> Masks:
        from lib_ti.ui.dataset.masks_work import Masks

        return Masks(self._parts.controller.host.folders)

    def _folder(self, data: Data) -> Path:
        output, source = (data[component] or "" for component in self._folders)
        return self._masks.folder(self._parts.preparation.output(source, output), source)

    def _pictures(self, data: Data) -> list[Choosable]:
        return self._masks.pictures(self._folder(data))

    def _show(self, data: Data, name: str) -> list[Any]:
        """The picture with its mask, and nothing said."""
        if not name:
            return ["", "", ""]
        from lib_ti.ui.dataset import paint_page

        found, problem = attempt(lambda: self._masks.stage(self._folder(data), name))
        layer, _ = attempt(lambda: self._masks.layer(self._folder(data), name))
        return [problem if found is None else paint_page.stage(found, "ti_masks_mask"), layer or "", ""]

    def _save(self, data: Data) -> str:
        from lib_ti.ui.dataset import masks_page, painted

        found, problem = attempt(lambda: painted.read(data[self._mask] or ""))
        if found is None:
            return problem
        kept, problem = attempt(lambda: self._masks.save(self._folder(data), found))
        return (
            masks_page.not_kept(found.number, problem)
            if kept is None
            else masks_page.kept(kept, found.number, found.key)
        )

    def _after(self, data: Data, action: Callable[[Path, str], Kept]) -> list[Any]:
        """What is shown once something was done to the mask of the chosen picture."""
        from lib_ti.ui.dataset import masks_page

        name = data[self._picture] or ""
        kept, problem = attempt(lambda: action(self._folder(data), name))
        if kept is None:
            return [gr.update(), gr.update(), problem]
        return [*self._show(data, name)[:2], masks_page.kept(kept)]

    def _load(self, data: Data) -> list[Any]:
        file = uploaded(data[self._file])
        return self._after(data, lambda folder, name: self._masks.load(folder, name, file))

    def _from_transparency(self, data: Data) -> list[Any]:
        return self._after(data, self._masks.from_transparency)

    def _remove(self, data: Data) -> list[Any]:
        return self._after(data, self._masks.remove)
