"""Step: parts of found pictures that are painted over and filled: lettering, watermarks, things in the way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import REMOVAL
from lib_ti.background.tasks import TASKS, TaskContext
from lib_ti.config.prepare import PrepareConfig
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset import choice
from lib_ti.ui.dataset.choice import Choice, Data, uploaded
from lib_ti.ui.html.fragments import hint, notice
from lib_ti.ui.parts import BUSY, QUIET, Parts

if TYPE_CHECKING:
    from lib_ti.ui.dataset.erase_work import Erasing
    from lib_ti.ui.dataset.paint_page import Choosable

TITLE = "Erase"
MODEL = "model"
_ABOUT = (
    "Paint over lettering, a watermark or a thing in the way, then press Erase. Your pictures stay as they are; "
    "Prepare uses what you see here."
)


def layout(parts: Parts) -> None:
    choice.layout(parts, "erase", "A picture of the folder with your pictures.")
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=3, min_width=320):
            parts.html("erase_stage")
        with gr.Column(scale=1, min_width=320):
            parts.html("erase_about", hint(_ABOUT))
            parts.button("erase_propose", "Propose lettering")
            parts.button("erase_fill", "Erase", variant="primary")
            with gr.Row(elem_classes="ti-buttons"):
                parts.button("erase_undo", "Undo", size="sm")
                parts.button("erase_redo", "Redo", size="sm")
            parts.html("erase_said")
            parts.prepare.add("fill", "fill_prompt")
            parts.keep(
                "erase_seed",
                gr.Number(
                    0,
                    label="Seed",
                    info="With another number a model draws something else.",
                    precision=0,
                    elem_id="ti_erase_seed",
                ),
            )
            with gr.Accordion("Take a mask from a file", open=False):
                parts.keep(
                    "erase_file",
                    gr.File(label="Picture of the same shape, white where to erase", elem_id="ti_erase_file"),
                )
    # What is painted, from the page's script and to it.
    parts.keep("erase_mask", gr.Textbox("", show_label=False, elem_id="ti_erase_mask", elem_classes="ti-hidden"))


def connect(parts: Parts) -> None:
    _Step(parts).connect()


class _Step:
    """What the buttons do: from what the page holds to updates of what it shows."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._form, self._line = parts, parts.prepare, parts.task_line
        self._picture, self._mask, self._seed = (parts[f"erase_{name}"] for name in ("picture", "mask", "seed"))
        self._shown = [parts["erase_stage"], self._mask, parts["erase_said"]]

    def connect(self) -> None:
        parts, shown, line = self._parts, self._shown, self._line
        done, file, marked = line.done, parts["erase_file"], shown[1:]
        inputs = {self._picture, self._mask, self._seed, *self._form.components}
        Choice(parts, "erase", self._form.components, self._pictures, self._show, shown).connect()
        parts["erase_fill"].click(self._fill, inputs=inputs, outputs=[*shown, *line.outputs], **BUSY)
        line.show_outcome(REMOVAL, parts["erase_said"])
        done.change(self._ended, inputs={done, *inputs}, outputs=shown, **QUIET)
        parts["erase_propose"].click(self._propose, inputs=inputs, outputs=marked, **BUSY)
        file.upload(self._load, inputs={file, *inputs}, outputs=marked, **BUSY)
        parts["erase_undo"].click(self._undo, inputs=inputs, outputs=shown, **BUSY)
        parts["erase_redo"].click(self._redo, inputs=inputs, outputs=shown, **BUSY)

    @cached_property
    def _erasing(self) -> Erasing:
        from lib_ti.ui.dataset.erase_work import Erasing

        return Erasing(self._parts.controller.host)

    def _config(self, data: Data) -> PrepareConfig:
        return self._parts.preparation.config(self._form.values(data))

    def _pictures(self, data: Data) -> list[Choosable]:
        return self._erasing.pictures(self._config(data))

    def _show(self, data: Data, name: str) -> list[Any]:
        """The picture, and nothing painted or said."""
        return [self._stage(data, name) if name else "", "", ""]

    def _stage(self, data: Data, name: str) -> str:
        from lib_ti.ui.dataset import paint_page

        found, problem = attempt(lambda: self._erasing.stage(self._config(data), name))
        return problem if found is None else paint_page.stage(found, "ti_erase_mask")

    def _after(self, data: Data, action: Callable[[PrepareConfig, str], tuple[str, str]]) -> list[Any]:
        """What is shown once something was done to the chosen picture: that, what is painted by then, a sentence."""
        name = data[self._picture] or ""
        done, problem = attempt(lambda: action(self._config(data), name))
        if done is None:
            return [gr.update(), gr.update(), problem]
        sentence, layer = done
        return [self._stage(data, name), layer, notice("good", [sentence])]

    def _fill(self, data: Data) -> list[Any]:
        name, layer, seed = data[self._picture] or "", data[self._mask] or "", int(data[self._seed] or 0)
        if data[self._form["fill"]] != MODEL:
            done = self._after(data, lambda config, name: (self._erasing.erase(config, name, layer, seed), ""))
            return [*done, *self._line.updates()]
        config, problem = attempt(lambda: self._config(data))
        if config is None:
            return [gr.update(), gr.update(), problem, *self._line.updates()]

        def work(task: TaskContext) -> str:
            return self._erasing.erase(config, name, layer, seed, task.report_message)

        return [gr.update(), gr.update(), *self._line.start(REMOVAL, f"Erasing in {name}", work)]

    def _ended(self, data: Data) -> list[Any]:
        if not self._line.succeeded(data, REMOVAL):
            return [gr.update()] * len(self._shown)
        return self._after(data, lambda *_: (TASKS.result(REMOVAL), ""))

    def _propose(self, data: Data) -> list[Any]:
        name, layer = data[self._picture] or "", data[self._mask] or ""
        return self._painted(lambda: self._erasing.propose(self._config(data), name, layer))

    def _load(self, data: Data) -> list[Any]:
        name, file = data[self._picture] or "", uploaded(data[self._parts["erase_file"]])
        return self._painted(lambda: self._erasing.load(self._config(data), name, file))

    @staticmethod
    def _painted(action: Callable[[], tuple[str, str]]) -> list[Any]:
        """What is painted by now, and a sentence."""
        done, problem = attempt(action)
        return [gr.update(), problem] if done is None else [done[0], notice("info", [done[1]])]

    def _undo(self, data: Data) -> list[Any]:
        return self._after(data, lambda config, name: self._erasing.undo(config, name, data[self._mask] or ""))

    def _redo(self, data: Data) -> list[Any]:
        return self._after(data, lambda config, name: (self._erasing.redo(config, name), ""))
