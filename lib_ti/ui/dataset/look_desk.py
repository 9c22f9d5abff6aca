"""The fields of the step Look over on a page: what is read from them, and what is written to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import INSPECTION
from lib_ti.background.tasks import TASKS
from lib_ti.config import InspectConfig, from_mapping
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.look_query import Asked
from lib_ti.ui.parts import Parts

if TYPE_CHECKING:
    from lib_ti.ui.dataset.look_work import LookedOver

Data = Mapping[Any, Any]
_OPENED, _WRONG = "opened", "wrong"
"""In place of the stamp of what a page shows, where there was nothing to show yet, or a field is wrong. Nothing at all
is in its place where the step was never opened: that page is spared a thousand pictures."""


class Desk:
    """What all handlers of the step share."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.controls = [
            *parts.look.components, parts.prepare["width"], parts.prepare["height"],
            *(parts[f"look_{name}"] for name in ("layout", "order", "find")),
        ]  # fmt: skip
        folders = parts["dataset_folder"], parts.prepare["output"]
        self.inputs = {*self.controls, *folders, parts["look_seen"]}
        names = "said summary pictures names shown advised undo redo seen"  # as `_made` makes them
        self.outputs = [parts[f"look_{name}"] for name in names.split()]

    def asked(self, data: Data) -> Asked:
        """What the page asks to see; raises :class:`BadInput` for thresholds that cannot be."""
        parts = self._parts
        layout, order, find = (str(data[parts[f"look_{name}"]] or "") for name in ("layout", "order", "find"))
        source, output = data[parts["dataset_folder"]] or "", data[parts.prepare["output"]] or ""
        return Asked(self.config(data), source, output, layout, order, find)

    def config(self, data: Data) -> InspectConfig:
        sides = {side: data[self._parts.prepare[side]] for side in ("width", "height")}
        return from_mapping(InspectConfig, {**self._parts.look.values(data), **sides}, source="the form")

    def updates(self, data: Data, said: str | None = None, *, pictures: bool = True) -> list[Any]:
        """All that there is to see by now; without ``pictures``, all but those, which the page has changed itself.

        Where nothing is ``said``, what was said before stays, unless it was what is wrong with a field.
        """
        looked = TASKS.result(INSPECTION)
        if looked is None:
            return self.nothing(said or "")
        made, problem = attempt(lambda: self._made(looked, self.asked(data), pictures=pictures))
        if made is None:
            return [*self.nothing((said or "") + problem)[:-1], _WRONG]
        if said is None:
            said = "" if data[self._parts["look_seen"]] == _WRONG else gr.update()
        return [said, *made]

    def nothing(self, said: str) -> list[Any]:
        """Only what there is to say."""
        return [said, *[gr.update()] * (len(self.outputs) - 1)]

    def opened(self, data: Data) -> list[Any]:
        """The last look on a new page, and what another step has decided since."""
        if TASKS.result(INSPECTION) is None:
            return [*self.same()[:-1], _OPENED]
        return self.updates(data) if self.is_old(data) else self.same()

    def changed(self, data: Data) -> list[Any]:
        """What there is to see once a field was changed, or a look has ended; nothing where the step was not opened."""
        return self.opened(data) if data[self._parts["look_seen"]] else self.same()

    def same(self) -> list[Any]:
        """Updates that change nothing."""
        return [gr.update()] * len(self.outputs)

    def is_old(self, data: Data) -> bool:
        """Whether there is something else to see by now than what the page shows."""
        from lib_ti.ui.dataset.look_view import stamp

        looked = TASKS.result(INSPECTION)
        now, _ = attempt(lambda: stamp(looked, self.asked(data)) if looked else "")
        return now != data[self._parts["look_seen"]]

    def _made(self, looked: LookedOver, asked: Asked, *, pictures: bool) -> list[Any]:
        from lib_ti.ui.dataset import look_page, look_work
        from lib_ti.ui.dataset.look_view import View, stamp

        seen = stamp(looked, asked)  # before it is read: what is decided meanwhile is then shown later
        view = View.of(looked, asked)
        return [
            look_page.summary(view),
            look_page.pictures(view) if pictures else gr.update(),
            look_work.write_names(view.pictures),
            gr.update(visible=True),
            gr.update(interactive=bool(look_work.advised(view.pictures))),
            gr.update(interactive=looked.can_undo),
            gr.update(interactive=looked.can_redo),
            seen,
        ]
