"""Choosing one of many images, in the steps Remove and Masks: by name, one by one, or by a click on a thumbnail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.errors import UserError
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.painting.view import PaintableImage, row
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts, choices
from lib_ti.ui.widgets.latest import follow
from lib_ti.wording import counted

if TYPE_CHECKING:
    from lib_ti.data.images import decode
else:
    decode = lazy("lib_ti.data.images.decode")

Data = dict[Any, Any]
_MOST_NAMED = 5
"""Unreadable files that are named."""


@dataclass(frozen=True)
class ImagePicker:
    """The choice of an image in one step.

    ``images`` lists the images for the page's values, none where there is nothing yet; ``show`` returns updates of the
    components ``shown`` for an image's name, empty for none; ``check`` raises :class:`UnreadableImage` for an image
    that cannot be shown. ``inputs`` are the components that these read.
    """

    parts: Parts
    step: str
    inputs: Sequence[Any]
    images: Callable[[Data], Sequence[PaintableImage]]
    show: Callable[[Data, str], list[Any]]
    check: Callable[[Data, str], Any]
    shown: Sequence[Any]

    @property
    def image(self) -> Any:
        return self.parts[f"{self.step}_image"]

    @property
    def outputs(self) -> list[Any]:
        """The components that :meth:`refresh` updates."""
        names = ("empty", "problem", "work", "row", "image", "listed", "open")
        return [*(self.parts[f"{self.step}_{name}"] for name in names), *self.shown]

    @property
    def everything(self) -> set[Any]:
        """The components that :meth:`refresh` reads."""
        return {*self.inputs, self.image, *(self.parts[f"{self.step}_{name}"] for name in ("listed", "goto", "open"))}

    def connect(self, before: str) -> None:
        """Connect the events; ``before`` is the step to open while there is nothing to choose from."""
        parts, step, everything = self.parts, self.step, self.everything
        goto, open_now = parts[f"{step}_goto"], parts[f"{step}_open"]
        for event in (parts[f"step_{step}"].select, parts[f"{step}_refresh"].click):
            event(self.refresh, inputs=everything, outputs=self.outputs, **QUIET)
        parts[f"{step}_go"].click(lambda: gr.update(selected=before), inputs=[], outputs=[parts.steps], **QUIET)
        opened = [open_now, *self.shown]
        for event in (self.image.change, self.image.blur):  # a typed name changes with every key, until it is left
            follow(event, self._open, by=[self.image], inputs=everything, outputs=opened)
        follow(goto.input, lambda data: _requested(data[goto]), by=[goto], inputs={goto}, outputs=[self.image])
        for name, step_by in (("previous", -1), ("next", 1)):
            parts[f"{step}_{name}"].click(self._go(step_by), inputs=everything, outputs=[self.image], **QUIET)

    def refresh(self, data: Data) -> list[Any]:
        """List the images; change nothing where the page already has that list."""
        parts, step = self.parts, self.step
        found, problem = attempt(lambda: self.images(data))
        if not found:
            empty = gr.update(visible=not problem)
            return [empty, problem, gr.update(visible=False), "", choices([], ""), "", "", *self.show(data, "")]
        stamp = hashlib.sha256("\n".join(map(repr, found)).encode("utf-8", "replace"))
        if stamp.hexdigest() == data[parts[f"{step}_listed"]]:
            return [gr.update()] * len(self.outputs)
        names = [one.name for one in found]
        chosen, problem = (data[self.image], "") if data[self.image] in names else self._first_readable(data, names)
        shown = [gr.update(visible=False), problem, gr.update(visible=True), row(found, f"ti_{step}_goto")]
        return [*shown, choices(names, chosen), stamp.hexdigest(), chosen, *self.show(data, chosen)]

    def _first_readable(self, data: Data, names: Sequence[str]) -> tuple[str, str]:
        """Return the first image that can be shown, else the first one; and a box that names those before it."""
        unreadable: list[str] = []
        for name in names:
            try:
                self.check(data, name)
            except decode.UnreadableImage as error:
                unreadable.append(f"{name} cannot be used: {error.reason}.")
                continue
            except UserError:  # it is not about this image; showing it says why
                return name, ""
            if len(unreadable) > _MOST_NAMED:
                more = counted(len(unreadable) - _MOST_NAMED, "more file")
                unreadable[_MOST_NAMED:] = [f"{more} before {name} cannot be used."]
            return name, notice("warning", unreadable)
        return names[0], ""

    def _open(self, data: Data) -> list[Any]:
        name = data[self.image] or ""
        if name == data[self.parts[f"{self.step}_open"]]:
            return [gr.update()] * (1 + len(self.shown))
        return [name, *self.show(data, name)]

    def _go(self, step_by: int) -> Callable[[Data], Any]:
        def go(data: Data) -> Any:
            found, _ = attempt(lambda: [one.name for one in self.images(data)])
            if not found:
                return gr.update()
            now = data[self.image]
            number = found.index(now) + step_by if now in found else 0
            return gr.update(value=found[number % len(found)])

        return go


def _requested(text: str | None) -> Any:
    """Choose the image that a page's script asks for: the time, and its name."""
    return gr.update(value=(text or "").partition(" ")[2])
