"""Actions of the sub-tab Results: what its events do."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import CONTACT_SHEET
from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import figure, hint, notice
from lib_ti.ui.parts import Parts, choices
from lib_ti.ui.results.page import DOWNLOADS
from lib_ti.ui.results.vectors import actions as vectors_actions
from lib_ti.ui.results.vectors.page import SHOWN
from lib_ti.ui.widgets.latest import follow

if TYPE_CHECKING:
    from lib_ti.ui.results import view
    from lib_ti.ui.results.state import Preview, RunResults
else:
    view = lazy("lib_ti.ui.results.view")


SHEET_SIZE = 1600


def connect(parts: Parts) -> None:
    _connect_lists(parts)
    _connect_checkpoints(parts)
    where = _where(parts)

    name, step = parts["results_name"], parts["results_step"]

    def preview(data: dict[Any, Any]) -> list[Any]:
        """Show the preview at the slider's step; a run that cannot be shown is refused where its choice is."""
        if not data[name]:
            return [gr.update(), ""]
        shown, problem = attempt(lambda: view.preview(_run(parts, data).previews(), data[step] or 0))
        return [problem, shown or ""]

    outputs = [parts["results_message"], parts["results_preview"]]
    for event in (step.release, step.change):
        follow(event, preview, by=[step], inputs={*where, step}, outputs=outputs)
    _connect_sheet(parts)
    vectors_actions.connect(parts, _where(parts), partial(_run, parts))


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
        return ["", figure(sheet.path, sheet.caption, size=SHEET_SIZE, classes="ti-large")]

    line.connect()
    parts["sheet_generate"].click(
        generate, inputs={*where, parts["sheet_prompts"]}, outputs=[box, *line.outputs], **QUIET
    )
    line.done.change(ended, inputs={*where, line.done}, outputs=[box, parts["sheet"]], **QUIET)
    line.show_outcome(CONTACT_SHEET, box)


def _connect_lists(parts: Parts) -> None:
    name, run, log = parts["results_name"], parts["results_run"], parts.train["log_directory"]
    shown = [
        parts[key]
        for key in (
            "results_message results_step results_preview results_strip results_curve results_recipe checkpoint "
            "sheet_prompts results_run"
        ).split()
    ]

    def names(data: dict[Any, Any]) -> Any:
        """Reload the list, and choose the embedding that was trained last."""
        found, _ = attempt(lambda: parts.controller.results.trained_names(data[log] or ""))
        found = found or []
        newest = parts.controller.runs.snapshot().name
        return choices(found, data[name] or (newest if newest in found else ""))

    def show(data: dict[Any, Any]) -> list[Any]:
        if not data[name]:
            return [hint("Choose an embedding to see its runs."), *[gr.update()] * 8]
        chosen, problem = attempt(lambda: _run(parts, data))
        page, broken = attempt(lambda: _page(chosen)) if chosen else (None, problem)
        if chosen is None or page is None:
            return [broken, *[gr.update()] * 8]
        return [
            *page,
            choices(parts.controller.results.list_runs(data[log] or "", data[name]), str(chosen.folder.path)),
        ]

    # Messages and files about another run are removed.
    past = [parts[key] for key in ("checkpoint_message", "download", "sheet_message", "sheet", *SHOWN)]
    for event in (parts["results_show"].click, name.change, run.change):
        event(lambda: ["", gr.update(visible=False), *[""] * (len(past) - 2)], inputs=[], outputs=past, **QUIET)
    for event in (parts["results_tab"].select, parts["results_name_refresh"].click):
        event(names, inputs={name, log}, outputs=[name], **QUIET)
    # A chosen name changes once, a typed one at every key. Answers may arrive out of order, so that the one that counts
    # is asked for when the field is left.
    for event in (parts["results_show"].click, name.blur, run.blur):
        event(show, inputs=_where(parts), outputs=shown, **QUIET)
    for field in (name, run):
        follow(field.change, show, by=[field], inputs=_where(parts), outputs=shown)


def _page(run: RunResults) -> list[Any]:
    """Updates of everything that shows a run."""
    previews, checkpoints = run.previews(), list(run.checkpoints())
    last = previews[-1].step if previews else 0
    return [
        "",
        _slider(previews),
        view.preview(previews, last),
        view.strip(previews),
        view.curve(run),
        view.recipe(run),
        choices(checkpoints, checkpoints[0] if checkpoints else ""),
        "\n".join(run.prompts()),
    ]


def _slider(previews: list[Preview]) -> Any:
    """Update of the slider: it stops at the previews' steps where these are evenly spaced."""
    if len(previews) < 2:
        return gr.update(minimum=0, maximum=1, step=1, value=0)
    steps = [one.step for one in previews]
    every = math.gcd(*(after - before for before, after in pairwise(steps)))
    return gr.update(minimum=steps[0], maximum=steps[-1], step=every or 1, value=steps[-1])


def _connect_checkpoints(parts: Parts) -> None:
    where = {*_where(parts), parts["checkpoint"]}
    results, form = parts.controller.results, parts.train

    def restore(data: dict[Any, Any]) -> str:
        chosen = str(data[parts["checkpoint"]] or "")
        done, problem = attempt(lambda: results.restore_checkpoint(_run(parts, data), chosen))
        if done is None:
            return problem
        placed, step = done
        mark = "" if chosen.isdigit() else f" ({chosen})"
        message = f"{placed.path} is now the checkpoint of step {step}{mark}."
        return notice("good", [message, *placed.notes]) + notice("warning", placed.warnings)

    def more(data: dict[Any, Any]) -> list[Any]:
        values, problem = attempt(lambda: _run(parts, data).settings_to_continue())
        if values is None:
            return [problem, gr.update(), *form.updates({})]
        message = notice("good", ["The Train tab has the settings of this run. Raise Max steps there if you like."])
        return [message, gr.update(selected="train"), *form.updates(values)]

    def download(suffix: str) -> Callable[[dict[Any, Any]], list[Any]]:
        def make(data: dict[Any, Any]) -> list[Any]:
            chosen = str(data[parts["checkpoint"]] or "")
            path, problem = attempt(lambda: results.export_checkpoint(_run(parts, data), chosen, suffix))
            shown = gr.update(visible=False) if path is None else gr.update(value=str(path), visible=True)
            return [problem, shown]

        return make

    parts["restore_checkpoint"].click(restore, inputs=where, outputs=[parts["checkpoint_message"]], **BUSY)
    parts["train_more"].click(
        more, inputs=_where(parts), outputs=[parts["checkpoint_message"], parts.tabs, *form.components], **BUSY
    )
    for name, suffix in DOWNLOADS.items():
        parts[name].click(
            download(suffix), inputs=where, outputs=[parts["checkpoint_message"], parts["download"]], **BUSY
        )
    if "send_txt2img" in parts.own:
        _connect_send(parts)


def _connect_send(parts: Parts) -> None:
    """Prompt and seed of the preview that is shown go to the txt2img tab; the page's script then opens it."""
    keys = [key for key in ("prompt", "negative_prompt", "seed") if key in parts.txt2img]

    def send(data: dict[Any, Any]) -> list[Any]:
        values, problem = attempt(lambda: _run(parts, data).txt2img_values(data[parts["results_step"]] or 0))
        if values is None:
            return [problem, *[gr.update() for _ in keys]]
        message = notice("good", ["The preview's prompt and seed are in the txt2img tab."])
        return [message, *[gr.update(value=values[key]) for key in keys]]

    parts["send_txt2img"].click(
        send,
        inputs={*_where(parts), parts["results_step"]},
        outputs=[parts["checkpoint_message"], *(parts.txt2img[key] for key in keys)],
        **QUIET,
    )


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
