"""Actions of the comparison with another run: choose it, see both, generate the same prompts with both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import COMPARISON
from lib_ti.errors import BadInput
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.html.viewer import viewed
from lib_ti.ui.parts import Parts, choices
from lib_ti.ui.widgets.latest import follow
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.ui.results.compare import service, view
    from lib_ti.ui.results.compare.service import Side
    from lib_ti.ui.results.state import RunResults
else:
    service, view = lazy("lib_ti.ui.results.compare.service"), lazy("lib_ti.ui.results.compare.view")

Data = dict[Any, Any]
_SHEET_SIZE = 1600


def updates(parts: Parts, run: RunResults, data: Data, *, same: bool) -> list[Any]:
    """Updates of the lists of other runs and their checkpoints, where what is chosen stays, and of the prompts."""
    others = list(parts.controller.results.other_runs(data[parts.train["log_directory"]] or "", run))
    chosen = data[parts["compare_other"]]
    stays = chosen in others
    return [
        gr.update(choices=others, value=chosen if stays else None),
        gr.update() if stays else gr.update(choices=[], value=None),
        gr.update() if same else "\n".join(run.prompts()),
    ]


def connect(parts: Parts, where: set[Any], chosen_run: Callable[[Data], RunResults]) -> None:
    """Connect the events.

    Parameters
    ----------
    where
        The components that say which run is chosen.
    chosen_run
        Returns it, of their values.
    """
    other, step, line = parts["compare_other"], parts["results_step"], parts.compare_line
    box, results, checkpoint = parts["compare_message"], parts.controller.results, parts["compare_checkpoint"]

    def show(data: Data) -> str:
        return _shown(parts, data, chosen_run)

    def show_other(data: Data) -> list[Any]:
        """Show another run with its best checkpoint, and list all that it has."""
        data = {**data, checkpoint: ""}
        sides, _ = attempt(lambda: _sides(parts, data, chosen_run(data)))
        if sides is None:
            return [show(data), gr.update(choices=[], value=None)]
        return [show(data), choices(sides[1].run.checkpoint_steps(), sides[1].checkpoint)]

    def generate(data: Data) -> list[Any]:
        prompts = data[parts["compare_prompts"]] or ""
        _, problem = attempt(lambda: results.start_comparison(*_sides(parts, data, chosen_run(data)), prompts))
        return [problem, *line.updates()]

    def ended(data: Data) -> list[Any]:
        run, _ = attempt(lambda: chosen_run(data))
        if run is None or not line.succeeded(data, COMPARISON):
            return [gr.update(), gr.update()]
        sheet = parts.controller.tasks.result(COMPARISON)
        if sheet.run != run.folder.path:
            return [hint(f"The comparison of another run is finished: {sheet.path}"), gr.update()]
        return ["", viewed(sheet.path, sheet.caption, group=view.GROUP, size=_SHEET_SIZE, classes="ti-large")]

    line.connect()
    inputs, pair = {*where, other, step, parts["checkpoint"], checkpoint}, parts["compare_pair"]
    follow(other.change, show_other, by=[other], inputs=inputs, outputs=[pair, checkpoint])
    for one in (step, checkpoint):
        follow(one.change, show, by=[step, checkpoint], inputs=inputs, outputs=[pair])
    parts["compare_generate"].click(
        generate, inputs={*inputs, parts["compare_prompts"]}, outputs=[box, *line.outputs], **QUIET
    )
    line.done.change(ended, inputs={*where, line.done}, outputs=[box, parts["compare_sheet"]], **QUIET)
    line.show_outcome(COMPARISON, box)


def _shown(parts: Parts, data: Data, chosen_run: Callable[[Data], RunResults]) -> str:
    """Both runs side by side; nothing where no other one is chosen."""
    if not data[parts["compare_other"]]:
        return ""
    step = int(data[parts["results_step"]] or 0)
    found, problem = attempt(lambda: _pair(*_sides(parts, data, chosen_run(data)), step))
    return problem or found or ""


def _sides(parts: Parts, data: Data, run: RunResults) -> tuple[Side, Side]:
    """The chosen checkpoint of each run; of the other one the best, unless another is chosen."""
    results, log = parts.controller.results, data[parts.train["log_directory"]] or ""
    other, checkpoint = data[parts["compare_other"]], str(data[parts["compare_checkpoint"]] or "")
    if not other:
        raise BadInput("No other run is chosen: choose one under Compare with.")
    found = results.other_runs(log, run)
    if other not in found:
        raise BadInput(f"There is no run {quoted(other)} any more: press Show to reload the list.")
    theirs = results.run(log, *found[other])
    own = service.Side(run, str(data[parts["checkpoint"]] or ""))
    return own, service.Side(theirs, checkpoint or service.best_checkpoint(theirs))


def _pair(one: Side, other: Side, step: int) -> str:
    titles = (one.title, other.title)
    differing = service.differences(one.run, other.run)
    return view.pair(titles, differing, service.equal_previews(one.run, other.run, (step, other.step)))
