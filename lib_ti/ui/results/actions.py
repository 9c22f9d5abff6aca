"""Actions of the sub-tab Results: what its events do."""

from __future__ import annotations

import json
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
from lib_ti.ui.results.cleanup import actions as cleanup_actions
from lib_ti.ui.results.compare import actions as compare_actions
from lib_ti.ui.results.compare import page as compare_page
from lib_ti.ui.results.vectors import actions as vectors_actions
from lib_ti.ui.results.vectors import page as vectors_page
from lib_ti.ui.widgets.latest import follow

if TYPE_CHECKING:
    from lib_ti.ui.results import selection, view
    from lib_ti.ui.results.state import RunResults
else:
    selection, view = lazy("lib_ti.ui.results.selection"), lazy("lib_ti.ui.results.view")

SHEET_SIZE = 1600
_OF_RUN = (
    *("results_message", "results_of", "results_shown"),
    *("results_strip", "results_curve", "results_recipe", "sheet_prompts"),
    *("undo_restore", "results_run", "results_step", "checkpoint", "results_chosen"),
    *checkpoint_actions.SHOWN,
    *("compare_other", "compare_checkpoint", "compare_prompts"),
    *cleanup_actions.SHOWN,
)
"""What shows the chosen run."""
_PAST = (
    *("checkpoint_message", "download", "sheet_message", "sheet", "cleanup_message"),
    *compare_page.SHOWN,
    *vectors_page.SHOWN,
)
"""What is about one run, and removed when another one is shown."""


def connect(parts: Parts) -> None:
    where, chosen_run = _where(parts), partial(_run, parts)
    _connect_names(parts)
    shown = _connect_runs(parts)
    checkpoint_actions.connect(parts, where, chosen_run)
    _connect_sheet(parts)
    compare_actions.connect(parts, where, chosen_run)
    vectors_actions.connect(parts, where, chosen_run)
    cleanup_actions.connect(parts, where, chosen_run, shown)


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


def _connect_runs(parts: Parts) -> cleanup_actions.Shown:
    name, run = parts["results_name"], parts["results_run"]
    outputs, past = [parts[key] for key in _OF_RUN], [parts[key] for key in _PAST]

    def show(data: dict[Any, Any]) -> list[Any]:
        if not data[name]:
            return _nothing(hint("Choose an embedding to see its runs."), hidden=True)
        chosen, problem = attempt(lambda: _run(parts, data))
        page, broken = attempt(lambda: _page(parts, data, chosen)) if chosen else (None, problem)
        return _nothing(broken) if page is None else page

    def show_new(data: dict[Any, Any]) -> list[Any]:
        """Show the run unless it is shown already, so that a choice that was made meanwhile stays."""
        chosen, _ = attempt(lambda: _run(parts, data)) if data[name] else (None, "")
        return [gr.update()] * len(_OF_RUN) if chosen and _stamp(chosen) == data[parts["results_of"]] else show(data)

    def show_progress(data: dict[Any, Any]) -> list[Any]:
        """Show what the run that is shown has reached meanwhile."""
        return show_new(data) if data[parts["results_of"]] else [gr.update()] * len(_OF_RUN)

    # Messages and files about another run are removed.
    for event in (parts["results_show"].click, name.change, run.change):
        event(lambda: [""] * len(past), inputs=[], outputs=past, **QUIET)
    kept = ("results_of", "compare_other", *checkpoint_actions.WAYS)
    inputs = {*_where(parts), *(parts[key] for key in kept)}
    parts["results_show"].click(show, inputs=inputs, outputs=outputs, **QUIET)
    # A chosen name changes once, a typed one at every key. Answers may arrive out of order, so that the one that counts
    # is asked for when the field is left.
    for event in (name.blur, run.blur):
        event(show_new, inputs=inputs, outputs=outputs, **QUIET)
    parts["results_tab"].select(show_progress, inputs=inputs, outputs=outputs, **QUIET)
    for field in (name, run):
        follow(field.change, show_new, by=[field], inputs=inputs, outputs=outputs)
    return cleanup_actions.Shown(show, inputs, outputs)


def _nothing(message: str, *, hidden: bool = False) -> list[Any]:
    """Updates where no run can be shown."""
    changed = {"results_message": message, "results_of": ""} | (
        {"results_shown": gr.update(visible=False)} if hidden else {}
    )
    return [changed.get(key, gr.update()) for key in _OF_RUN]


def _stamp(run: RunResults) -> str:
    """What a page keeps of the run that it shows: which one it is, and how far it was."""
    return json.dumps([run.name, str(run.folder.path), run.folder.state.stat().st_mtime_ns])


def _page(parts: Parts, data: dict[Any, Any], run: RunResults) -> list[Any]:
    """Updates of everything that shows a run; the best step is chosen, unless the page shows the run already."""
    steps, before = selection.selectable(run), data[parts["results_of"]]
    same = bool(before) and json.loads(before)[:2] == json.loads(_stamp(run))[:2]
    chosen = checkpoint_actions.selected(parts, data, steps) if same else steps.first_choice()
    runs = parts.controller.results.list_runs(data[parts.train["log_directory"]] or "", run.name)
    return [
        "",
        _stamp(run),
        gr.update(visible=True),
        view.strip(steps.previews),
        view.curve(run),
        view.recipe(run),
        gr.update() if same else "\n".join(run.prompts()),
        checkpoint_actions.undo_update(parts, run.name),
        choices(runs, str(run.folder.path)),
        _slider(steps.steps, chosen.step),
        choices(steps.checkpoints, chosen.checkpoint),
        checkpoint_actions.written((chosen.step, chosen.checkpoint, str(data[parts["results_pick"]] or ""))),
        *checkpoint_actions.updates(parts, run, chosen),
        *compare_actions.updates(parts, run, data, same=same),
        *cleanup_actions.updates(parts, run),
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
    for line in (parts.sheet_line, parts.compare_line, parts.vectors_line):
        blocks.load(line.updates, inputs=[], outputs=line.outputs, **QUIET)
