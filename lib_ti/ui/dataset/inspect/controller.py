"""Fields of the step Inspect on a page: how they are read and updated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import INSPECTION
from lib_ti.background.tasks import TASKS
from lib_ti.config import InspectConfig, from_mapping
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.inspect import view
from lib_ti.ui.dataset.inspect.query import ListRequest
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.history import labelled

if TYPE_CHECKING:
    from lib_ti.ui.dataset.inspect import decisions, listing
    from lib_ti.ui.dataset.inspect.state import Inspection
else:
    decisions = lazy("lib_ti.ui.dataset.inspect.decisions")
    listing = lazy("lib_ti.ui.dataset.inspect.listing")

Data = Mapping[Any, Any]
_OPENED, _WRONG = "opened", "wrong"
"""Values of the page's stamp where there was nothing to show yet, or a field is wrong. The stamp is empty where the
step was never opened, which saves that page from loading a thousand images."""


class InspectionController:
    """Shared by all handlers of the step. The result of :data:`INSPECTION` is the inspection that all pages show."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.controls = [
            *parts.inspect.components, parts.prepare["width"], parts.prepare["height"],
            *(parts[f"inspect_{name}"] for name in ("layout", "order", "find")),
        ]  # fmt: skip
        folders = parts["dataset_folder"], parts.prepare["output"]
        self.inputs = {*self.controls, *folders, parts["inspect_stamp"]}
        names = "message summary images names results exclude_suggested undo redo stamp"  # in the order of `_shown`
        self.outputs = [parts[f"inspect_{name}"] for name in names.split()]

    def request(self, data: Data) -> ListRequest:
        """Return what the page requests; raises :class:`BadInput` for thresholds that are not valid."""
        parts = self._parts
        layout, order, find = (str(data[parts[f"inspect_{name}"]] or "") for name in ("layout", "order", "find"))
        source, output = data[parts["dataset_folder"]] or "", data[parts.prepare["output"]] or ""
        return ListRequest(self.config(data), source, output, layout, order, find)

    def config(self, data: Data) -> InspectConfig:
        sides = {side: data[self._parts.prepare[side]] for side in ("width", "height")}
        return from_mapping(InspectConfig, {**self._parts.inspect.values(data), **sides}, source="the form")

    def updates(self, data: Data, message: str | None = None, *, images: bool = True) -> list[Any]:
        """Update everything; without ``images``, all but the images, which the page has updated itself.

        Without a ``message`` the previous one stays, unless it was about a wrong field.
        """
        inspection = TASKS.result(INSPECTION)
        if inspection is None:
            return self.only_message(message or "")
        shown, problem = attempt(lambda: self._shown(inspection, self.request(data), images=images))
        if shown is None:
            return [*self.only_message((message or "") + problem)[:-1], _WRONG]
        if message is None:
            message = "" if data[self._parts["inspect_stamp"]] == _WRONG else gr.update()
        return [message, *shown]

    def only_message(self, message: str) -> list[Any]:
        """Update only the message."""
        return [message, *[gr.update()] * (len(self.outputs) - 1)]

    def opened(self, data: Data) -> list[Any]:
        """Update a new page with the last inspection, or an old one with the decisions of other steps."""
        if TASKS.result(INSPECTION) is None:
            return [*self.unchanged()[:-1], _OPENED]
        return self.updates(data) if self.is_outdated(data) else self.unchanged()

    def changed(self, data: Data) -> list[Any]:
        """Update after a change of a field or the end of an inspection; nothing where the step was never opened."""
        return self.opened(data) if data[self._parts["inspect_stamp"]] else self.unchanged()

    def unchanged(self) -> list[Any]:
        """Return updates that change nothing."""
        return [gr.update()] * len(self.outputs)

    def is_outdated(self, data: Data) -> bool:
        """Whether the page shows something else than what it should."""
        inspection = TASKS.result(INSPECTION)
        now, _ = attempt(lambda: listing.stamp(inspection, self.request(data)) if inspection else "")
        return now != data[self._parts["inspect_stamp"]]

    def _shown(self, inspection: Inspection, request: ListRequest, *, images: bool) -> list[Any]:
        now = listing.stamp(inspection, request)  # before reading: later decisions then make the page outdated
        listed = listing.Listing.of(inspection, request)
        return [
            view.summary(listed),
            view.images(listed) if images else gr.update(),
            decisions.write_names(listed.images),
            gr.update(visible=True),
            gr.update(interactive=bool(decisions.suggested_exclusions(listed.images))),
            labelled("Undo", inspection.undo_label),
            labelled("Redo", inspection.redo_label),
            now,
        ]
