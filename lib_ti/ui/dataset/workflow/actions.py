"""Actions of the way through the steps: keep the strip up to date, and go from step to step."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.workflow import view
from lib_ti.ui.dataset.workflow.state import DatasetState
from lib_ti.ui.dataset.workflow.steps import STEPS, Step, blocked, next_step
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.latest import follow

if TYPE_CHECKING:
    from lib_ti.ui.dataset.workflow import service
else:
    service = lazy("lib_ti.ui.dataset.workflow.service")

Data = dict[Any, Any]
_SETTINGS = ("width", "height", "shape", "framing", "split", "subfolders")


class Workflow:
    """The strip and the ends of the steps on a page."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._seen = parts, parts["workflow_seen"]
        self._captions = parts["captions_folder"]
        self.inputs = {*parts.prepare.components, self._captions, self._seen}
        self.outputs = [
            self._seen,
            parts["dataset_overview"],
            *(parts[f"todo_{step.name}"] for step in STEPS),
            *(parts[f"{part}_{step.name}"] for step in STEPS if step.about for part in _changing(step)),
        ]
        """The components that :meth:`updates` updates."""

    def updates(self, data: Data) -> list[Any]:
        """Show the state of the folders that the page names; nothing changes where the page shows it already."""
        shown, _ = attempt(lambda: list(_shown(self.state(data))))
        stamp = hashlib.sha256(repr(shown).encode("utf-8", "replace")).hexdigest()
        if shown is None or stamp == data[self._seen]:
            return [gr.update()] * len(self.outputs)
        return [stamp, *shown]

    def state(self, data: Data) -> DatasetState:
        values = self._parts.prepare.values(data)
        return service.dataset_state(self._parts.preparation, values, data[self._captions] or "")


def _changing(step: Step) -> tuple[str, ...]:
    """Return the parts of a step's frame that change with the state."""
    return ("first", "content", "end", "about", "go") if step.needs else ("about",)


def _shown(state: DatasetState) -> Iterator[Any]:
    yield view.overview(state)
    yield from (view.end(step, state) for step in STEPS)
    for step in STEPS:
        if step.about and not step.needs:
            yield view.first_sight(step, state)
        elif step.needs:
            waits = blocked(step, state)
            yield gr.update(visible=waits)
            yield gr.update(visible=not waits)
            yield gr.update(visible=not waits)
            yield view.first_sight(step, state)
            yield gr.update(value=f"Go to {view.missing_step(step, state).label}")


def connect(parts: Parts) -> None:
    workflow = Workflow(parts)
    form, line = parts.prepare, parts.task_line
    for one in (*(form[name] for name in _SETTINGS), line.done, parts["dataset_shown"], parts["workflow_changed"]):
        follow(one.change, workflow.updates, by=[one], inputs={*workflow.inputs, one}, outputs=workflow.outputs)
    opened = parts["dataset_tab"].select
    opened(workflow.updates, inputs=workflow.inputs, outputs=workflow.outputs, **QUIET)
    for step in STEPS:
        selected = parts[f"step_{step.name}"].select
        selected(workflow.updates, inputs=workflow.inputs, outputs=workflow.outputs, **QUIET)
        following = next_step(step.name)
        if following:
            parts[f"next_{step.name}"].click(_opening(following.name), inputs=[], outputs=[parts.steps], **QUIET)
        if step.name == "crop":
            parts["past_crop"].click(_opening("prepare"), inputs=[], outputs=[parts.steps], **QUIET)
        if step.needs:
            _connect_first(parts, workflow, step.name)


def _opening(name: str) -> Callable[[], Any]:
    return lambda: gr.update(selected=name)


def _connect_first(parts: Parts, workflow: Workflow, name: str) -> None:
    """Connect the button of a step in which nothing can be done yet: it opens the step that comes first."""
    step = next(step for step in STEPS if step.name == name)

    def go(data: Data) -> Any:
        return gr.update(selected=view.missing_step(step, workflow.state(data)).name)

    parts[f"go_{name}"].click(go, inputs=set(workflow.inputs), outputs=[parts.steps], **QUIET)
