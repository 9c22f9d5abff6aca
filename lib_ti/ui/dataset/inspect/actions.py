"""Actions of the step Inspect: what its events do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import INSPECTION
from lib_ti.background.tasks import TASKS
from lib_ti.config import InspectConfig
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.inspect import start_actions, view
from lib_ti.ui.dataset.inspect.columns import next_order
from lib_ti.ui.dataset.inspect.controller import Data, InspectionController
from lib_ti.ui.dataset.inspect.page import NOT_YET
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.latest import follow
from lib_ti.wording import counted

if TYPE_CHECKING:
    from lib_ti.ui.dataset.inspect import decisions, listing
    from lib_ti.ui.dataset.inspect.listing import Listing
else:
    decisions = lazy("lib_ti.ui.dataset.inspect.decisions")
    listing = lazy("lib_ti.ui.dataset.inspect.listing")

_DECISIONS = {
    "exclude_suggested": "Excluded",
    "exclude": "Excluded",
    "include": "Included",
    "save_names": "Changed",
}
"""Buttons that decide about many images, and the first word of their message."""


def connect(parts: Parts) -> None:
    controller = InspectionController(parts)
    start_actions.connect(parts, controller)
    _connect_opening(parts, controller)
    _connect_controls(parts, controller)
    _connect_switches(parts, controller)
    _connect_buttons(parts, controller)
    _connect_undo(parts, controller)


def _connect_opening(parts: Parts, controller: InspectionController) -> None:
    # The first step is selected on every new page: only what has been seen is updated with it.
    parts["step_inspect"].select(controller.changed, inputs=controller.inputs, outputs=controller.outputs, **QUIET)
    parts["dataset_tab"].select(controller.opened, inputs=controller.inputs, outputs=controller.outputs, **QUIET)
    # Images of the folder that was inspected say so once another one is named.
    folders = parts["dataset_shown"]
    follow(
        folders.change,
        controller.changed,
        by=[folders],
        inputs={*controller.inputs, folders},
        outputs=controller.outputs,
    )


def _connect_controls(parts: Parts, controller: InspectionController) -> None:
    """Update the page at once when a threshold, the layout, the order or the search changes."""
    for control in controller.controls:
        follow(control.change, controller.changed, by=[control], inputs=controller.inputs, outputs=controller.outputs)
    order, column = parts["inspect_order"], parts["inspect_sort"]

    def sort(data: Data) -> Any:
        return gr.update(value=next_order(data[order] or "", (data[column] or "").partition(" ")[0]))

    def reset() -> list[Any]:
        return parts.inspect.updates({name: getattr(InspectConfig, name) for name in parts.inspect.inputs})

    column.input(sort, inputs={order, column}, outputs=[order], **QUIET)
    parts["inspect_reset"].click(reset, inputs=[], outputs=parts.inspect.components, **QUIET)


def _connect_switches(parts: Parts, controller: InspectionController) -> None:
    """Write the decisions of switches at once."""
    changes = parts["inspect_changes"]

    def save(data: Data) -> list[Any]:
        message, problem = attempt(lambda: decisions.read_message(data[changes] or ""))
        if message is None:
            return controller.only_message(problem)
        outdated = controller.is_outdated(data)  # otherwise the page already shows the change
        saved, problem = attempt(lambda: decisions.save(TASKS.result(INSPECTION), message))
        if saved is None:
            return controller.only_message(view.refused(message.number, problem))
        return controller.updates(data, view.saved(message.number), images=outdated)

    changes.input(save, inputs=controller.inputs | {changes}, outputs=controller.outputs, **QUIET)


def _connect_buttons(parts: Parts, controller: InspectionController) -> None:
    """Decisions about many images."""
    names = parts["inspect_names"]

    def decided_by(button: str, listed: Listing, data: Data) -> Mapping[str, bool]:
        """Return which images to exclude, and which to include."""
        if button == "exclude_suggested":
            return decisions.suggested_exclusions(listed.images)
        if button == "save_names":
            return decisions.read_names(data[names] or "", listed.images)
        return {image.digest: button == "exclude" for image in listed.shown}

    def deciding(button: str, done: str) -> Callable[[Data], list[Any]]:
        def decide(data: Data) -> list[Any]:
            inspection = TASKS.result(INSPECTION)
            if inspection is None:
                return controller.only_message(hint(NOT_YET))

            def decided() -> int:
                listed = listing.Listing.of(inspection, controller.request(data))
                return int(inspection.decide(decided_by(button, listed, data)))

            count, problem = attempt(decided)
            return controller.only_message(problem) if count is None else controller.updates(data, _report(done, count))

        return decide

    for button, done in _DECISIONS.items():
        parts[f"inspect_{button}"].click(
            deciding(button, done), inputs=controller.inputs | {names}, outputs=controller.outputs, **BUSY
        )


def _connect_undo(parts: Parts, controller: InspectionController) -> None:
    def restoring(way: str, done: str) -> Callable[[Data], list[Any]]:
        def restore(data: Data) -> list[Any]:
            inspection = TASKS.result(INSPECTION)
            label, problem = attempt(lambda: getattr(inspection, way)() if inspection else "")
            if label is None:
                return controller.only_message(problem)
            return controller.updates(data, hint(f"{done}: {label}." if label else "Nothing has changed."))

        return restore

    for way, done in (("undo", "Undone"), ("redo", "Redone")):
        parts[f"inspect_{way}"].click(
            restoring(way, done), inputs=controller.inputs, outputs=controller.outputs, **BUSY
        )


def _report(done: str, count: int) -> str:
    return hint(f"{done}: {counted(count, 'image')}." if count else "Nothing has changed.")
