"""Choosing one of many pictures, in the steps Erase and Masks: by name, one by one, or by a press on a small copy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.ui.attempt import attempt
from lib_ti.ui.parts import QUIET, Parts, choices
from lib_ti.ui.widgets.latest import follow

if TYPE_CHECKING:
    from lib_ti.ui.dataset.paint_page import Choosable

Data = dict[Any, Any]


@dataclass(frozen=True)
class Choice:
    """The choice of a picture in one step.

    ``pictures`` are those that there are for the page's values; ``show`` gives updates of the components ``shown``
    for the picture of a name, empty for none. ``inputs`` are what both need to know.
    """

    parts: Parts
    step: str
    inputs: Sequence[Any]
    pictures: Callable[[Data], Sequence[Choosable]]
    show: Callable[[Data, str], list[Any]]
    shown: Sequence[Any]

    @property
    def picture(self) -> Any:
        return self.parts[f"{self.step}_picture"]

    def connect(self) -> None:
        parts, step = self.parts, self.step
        listed, goto, open_now = (parts[f"{step}_{name}"] for name in ("listed", "goto", "open"))
        everything = {*self.inputs, self.picture, listed, goto, open_now}
        rows = [parts[f"{step}_row"], self.picture, listed, open_now, *self.shown]
        for event in (parts[f"step_{step}"].select, parts[f"{step}_list"].click):
            event(self._list, inputs=everything, outputs=rows, **QUIET)
        opened = [open_now, *self.shown]
        for event in (self.picture.change, self.picture.blur):  # a typed name changes at every key, until it is left
            follow(event, self._open, by=[self.picture], inputs=everything, outputs=opened)
        follow(goto.input, lambda data: gr.update(value=data[goto]), by=[goto], inputs={goto}, outputs=[self.picture])
        for name, way in (("previous", -1), ("next", 1)):
            parts[f"{step}_{name}"].click(self._go(way), inputs=everything, outputs=[self.picture], **QUIET)

    def _list(self, data: Data) -> list[Any]:
        """What there is to choose from by now; nothing new where the page has that already."""
        parts, step = self.parts, self.step
        found, problem = attempt(lambda: self.pictures(data))
        if found is None:
            return [problem, choices([], ""), "", "", *self.show(data, "")]
        stamp = hashlib.sha256("\n".join(map(repr, found)).encode("utf-8", "replace"))
        if stamp.hexdigest() == data[parts[f"{step}_listed"]]:
            return [gr.update()] * (4 + len(self.shown))
        from lib_ti.ui.dataset import paint_page

        names = [one.name for one in found]
        chosen = data[self.picture] if data[self.picture] in names else next(iter(names), "")
        row = paint_page.row(found, f"ti_{step}_goto")
        return [row, choices(names, chosen), stamp.hexdigest(), chosen, *self.show(data, chosen)]

    def _open(self, data: Data) -> list[Any]:
        name = data[self.picture] or ""
        if name == data[self.parts[f"{self.step}_open"]]:
            return [gr.update()] * (1 + len(self.shown))
        return [name, *self.show(data, name)]

    def _go(self, way: int) -> Callable[[Data], Any]:
        def go(data: Data) -> Any:
            found, _ = attempt(lambda: [one.name for one in self.pictures(data)])
            if not found:
                return gr.update()
            now = data[self.picture]
            number = found.index(now) + way if now in found else 0
            return gr.update(value=found[number % len(found)])

        return go


def layout(parts: Parts, step: str, of: str) -> None:
    """``of`` explains which pictures there are."""
    with gr.Row(elem_classes="ti-line ti-choice"):
        parts.button(f"{step}_previous", "‹ Previous", scale=1)
        parts.keep(
            f"{step}_picture",
            gr.Dropdown([], label="Picture", info=of, allow_custom_value=True, elem_id=f"ti_{step}_picture", scale=4),
        )
        parts.button(f"{step}_next", "Next ›", scale=1)
        parts.button(f"{step}_list", "List again", scale=1)
    parts.html(f"{step}_row")
    # A press on a small picture comes through here.
    parts.keep(f"{step}_goto", gr.Textbox("", show_label=False, elem_id=f"ti_{step}_goto", elem_classes="ti-hidden"))
    parts.keep(f"{step}_listed", gr.State(""))
    parts.keep(f"{step}_open", gr.State(""))


def uploaded(value: Any) -> Path:
    """The file that a Gradio of whatever version hands over."""
    return Path(getattr(value, "name", value))
