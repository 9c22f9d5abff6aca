"""Actions of the sub-tab Results: what its events do."""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import CONTACT_SHEET
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.html.viewer import viewed
from lib_ti.ui.parts import Parts, choices
from lib_ti.ui.results.checkpoint import actions as checkpoint_actions
from lib_ti.ui.results.vectors import actions as vectors_actions
from lib_ti.ui.results.vectors.page import SHOWN
from lib_ti.ui.widgets.latest import follow

if TYPE_CHECKING:
    from lib_ti.ui.results import selection, view
    from lib_ti.ui.results.state import RunResults
else:
    selection, view = lazy("lib_ti.ui.results.selection"), lazy("lib_ti.ui.results.view")

SHEET_SIZE = 1600
_OF_RUN = (
    *("results_message", "results_columns", "results_strip", "results_curve", "results_recipe", "sheet_prompts"),
    *("undo_restore", "results_run", "results_step", "checkpoint", "results_chosen"),
    *checkpoint_actions.SHOWN,
)
"""What shows the chosen run."""


def connect(parts: Parts) -> None:
    where, chosen_run = _where(parts), partial(_run, parts)
    _connect_names(parts)
    _connect_runs(parts)
    checkpoint_actions.connect(parts, where, chosen_run)
    _connect_sheet(parts)
    vectors_actions.connect(parts, where, chosen_run)


def _connect_sheet(parts: Parts) -> None:
    where, line, box = _where(parts), parts.sheet_line, parts["sheet_message"]

    def generate(data: dict[Any, Any]) -> list[Any]:
        prompts = data[parts["sheet_prompts"]] or ""
        _, problem = attempt(lambda: parts.controller.results.start_contact_sheet(_run(parts, data), prompts))
        return [problem, *line.updates()]

    def ended(data: dict[Any, Any]) -> list[Any]:
        sheet = parts.controller.tasks.result(CONTACT_SHEET)
        run, _ = attempt(lambda: _run(parts, data))
        if run is None or not line.succeeded(data, CONTACT_SHEET):
            return [gr.update(), gr.update()]
        if sheet.run != run.folder.path:
            return [hint(f"The contact sheet of another run is finished: {sheet.path}"), gr.update()]
        return ["", viewed(sheet.path, sheet.caption, group="sheet", size=SHEET_SIZE, classes="ti-large")]

    line.connect()
    parts["sheet_generate"].click(
        generate, inputs={*where, parts["sheet_prompts"]}, outputs=[box, *line.outputs], **QUIET
    )
    line.done.change(ended, inputs={*where, line.done}, outputs=[box, parts["sheet"]], **QUIET)
    line.show_outcome(CONTACT_SHEET, box)


def _connect_names(parts: Parts) -> None:
    """List the embeddings that have runs; without any, the page says what it is for."""
    name, log = parts["results_name"], parts.train["log_directory"]

    def names(data: dict[Any, Any]) -> list[Any]:
        """Reload the list, and choose the embedding that was trained last."""
        found, problem = attempt(lambda: parts.controller.results.trained_names(data[log] or ""))
        if found is None:
            return [gr.update(), gr.update(visible=False), gr.update(visible=True), problem]
        chosen = data[name] or parts.controller.results.last_trained(data[log] or "")
        some = bool(found or data[name])
        return [choices(found, chosen), gr.update(visible=not some), gr.update(visible=some), gr.update()]

    outputs = [name, parts["results_empty"], parts["results_choice"], parts["results_message"]]
    for event in (parts["results_tab"].select, parts["results_name_refresh"].click):
        event(names, inputs={name, log}, outputs=outputs, **QUIET)
    parts["results_to_start"].click(lambda: gr.update(selected="start"), inputs=[], outputs=[parts.tabs], **QUIET)


def _connect_runs(parts: Parts) -> None:
    name, run = parts["results_name"], parts["results_run"]
    shown, pick = [parts[key] for key in _OF_RUN], parts["results_pick"]

    def show(data: dict[Any, Any]) -> list[Any]:
        if not data[name]:
            return [hint("Choose an embedding to see its runs."), gr.update(visible=False), *_unchanged(2)]
        chosen, problem = attempt(lambda: _run(parts, data))
        page, broken = attempt(lambda: _page(parts, data, chosen)) if chosen else (None, problem)
        return [broken, *_unchanged(1)] if page is None else page

    # Messages and files about another run are removed.
    past = [parts[key] for key in ("checkpoint_message", "download", "sheet_message", "sheet", *SHOWN)]
    for event in (parts["results_show"].click, name.change, run.change):
        event(lambda: [""] * len(past), inputs=[], outputs=past, **QUIET)
    inputs = {*_where(parts), pick}
    # A chosen name changes once, a typed one at every key. Answers may arrive out of order, so that the one that counts
    # is asked for when the field is left.
    for event in (parts["results_show"].click, name.blur, run.blur):
        event(show, inputs=inputs, outputs=shown, **QUIET)
    for field in (name, run):
        follow(field.change, show, by=[field], inputs=inputs, outputs=shown)


def _unchanged(given: int) -> list[Any]:
    return [gr.update()] * (len(_OF_RUN) - given)


def _page(parts: Parts, data: dict[Any, Any], run: RunResults) -> list[Any]:
    """Updates of everything that shows a run, of which the best checkpoint is chosen at first."""
    steps = selection.selectable(run)
    chosen = steps.first_choice()
    runs = parts.controller.results.list_runs(data[parts.train["log_directory"]] or "", run.name)
    return [
        "",
        gr.update(visible=True),
        view.strip(steps.previews),
        view.curve(run),
        view.recipe(run),
        "\n".join(run.prompts()),
        checkpoint_actions.undo_update(parts, run.name),
        choices(runs, str(run.folder.path)),
        _slider(steps.steps, chosen.step),
        choices(steps.checkpoints, chosen.checkpoint),
        checkpoint_actions.written((chosen.step, chosen.checkpoint, str(data[parts["results_pick"]] or ""))),
        *checkpoint_actions.updates(parts, run, chosen),
    ]


def _slider(steps: list[int], chosen: int) -> Any:
    """Update of the slider: it stops at the steps that can be chosen where these are evenly spaced."""
    if len(steps) < 2:
        return gr.update(minimum=0, maximum=max(1, *steps, 1), step=1, value=chosen)
    every = math.gcd(*(after - before for before, after in pairwise(steps)))
    return gr.update(minimum=steps[0], maximum=steps[-1], step=every or 1, value=chosen)


def _where(parts: Parts) -> set[Any]:
    return {parts["results_name"], parts["results_run"], parts.train["log_directory"]}


def _run(parts: Parts, data: dict[Any, Any]) -> RunResults:
    """The run that is chosen, or the newest where the choice is of another embedding."""
    log, name, path = (
        data[one] or "" for one in (parts.train["log_directory"], parts["results_name"], parts["results_run"])
    )
    return parts.controller.results.run(log, name, path)


def on_load(blocks: gr.Blocks, parts: Parts) -> None:
    """Show the tasks in progress on a new page."""
    for line in (parts.sheet_line, parts.vectors_line):
        blocks.load(line.updates, inputs=[], outputs=line.outputs, **QUIET)
