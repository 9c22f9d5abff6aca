"""Actions of the comparison of numbers of vectors: what its events do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import VECTORS
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import hint, notice
from lib_ti.ui.parts import Parts

if TYPE_CHECKING:
    from lib_ti.ui.results.state import RunResults
    from lib_ti.ui.results.vectors import view
else:
    view = lazy("lib_ti.ui.results.vectors.view")


def connect(parts: Parts, where: set[Any], chosen_run: Callable[[dict[Any, Any]], RunResults]) -> None:
    """Connect the events.

    Parameters
    ----------
    where
        The components that say which run is chosen.
    chosen_run
        Returns it, of their values.
    """
    line, results = parts.vectors_line, parts.controller.results
    box, checkpoint, keep = parts["vectors_message"], parts["checkpoint"], parts["vectors_keep"]

    def start(data: dict[Any, Any]) -> list[Any]:
        step = str(data[checkpoint] or "")
        _, problem = attempt(lambda: results.start_comparing_vectors(chosen_run(data), step))
        return [problem, *line.updates()]

    def ended(data: dict[Any, Any]) -> list[Any]:
        run, _ = attempt(lambda: chosen_run(data))
        if run is None or not line.succeeded(data, VECTORS):
            return [gr.update()] * 3
        found = parts.controller.tasks.result(VECTORS)
        if found.run != run.folder.path:
            return [hint(f"The comparison of another run is finished: {found.name}."), gr.update(), gr.update()]
        return ["", view.comparison(found), gr.update(value=found.losses.enough)]

    def cut(data: dict[Any, Any]) -> str:
        step, count = str(data[checkpoint] or ""), int(data[keep] or 0)
        said, problem = attempt(lambda: results.keep_vectors(chosen_run(data), step, count))
        if said is None:
            return problem
        *notes, warning = said
        return notice("good", notes) + notice("warning", [warning])

    line.connect()
    inputs = {*where, checkpoint}
    parts["vectors_compare"].click(start, inputs=inputs, outputs=[box, *line.outputs], **QUIET)
    line.done.change(ended, inputs={*where, line.done}, outputs=[box, parts["vectors"], keep], **QUIET)
    line.show_outcome(VECTORS, box)
    parts["vectors_cut"].click(cut, inputs={*inputs, keep}, outputs=[parts["vectors_kept"]], **BUSY)
