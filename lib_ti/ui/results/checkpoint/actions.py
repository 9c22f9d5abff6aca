"""Actions of the chosen step: choose it in any way, restore its checkpoint, train more, use it, download it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.lazy import lazy
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts
from lib_ti.ui.results.checkpoint.page import DOWNLOADS
from lib_ti.ui.server.image_addresses import AS_IT_IS, address
from lib_ti.ui.widgets.latest import follow

if TYPE_CHECKING:
    from lib_ti.ui.results import selection, view
    from lib_ti.ui.results.selection import Selectable, Selection
    from lib_ti.ui.results.state import RunResults
else:
    selection, view = lazy("lib_ti.ui.results.selection"), lazy("lib_ti.ui.results.view")

Data = dict[Any, Any]
ChosenRun = Callable[[Data], "RunResults"]
Values = tuple[float, str, str]
"""Of :data:`WAYS`."""
WAYS = ("results_step", "checkpoint", "results_pick")
"""The components that a step is chosen with."""
SHOWN = ("results_preview", "checkpoint_chosen", "restore_checkpoint")
"""What shows the chosen step."""


def connect(parts: Parts, where: set[Any], chosen_run: ChosenRun) -> None:
    """Connect the events.

    Parameters
    ----------
    where
        The components that say which run is chosen.
    chosen_run
        Returns it, of their values.
    """
    ways = [parts[name] for name in WAYS]
    _connect_choosing(parts, where, chosen_run)
    inputs = {*where, *ways, parts["results_chosen"]}
    _connect_restoring(parts, inputs, chosen_run)
    _connect_downloads(parts, inputs, chosen_run)
    _connect_train_more(parts, where, chosen_run)
    if "send_txt2img" in parts.own:
        _connect_send(parts, inputs, chosen_run)


def updates(parts: Parts, run: RunResults, chosen: Selection) -> list[Any]:
    """Updates of :data:`SHOWN`."""
    step = chosen.checkpoint_step
    return [
        view.images(chosen),
        view.chosen(chosen, parts.controller.results.current_step(run.name)),
        gr.update(
            value="Restore this checkpoint" if step is None else f"Restore step {step}", interactive=step is not None
        ),
    ]


def selected(parts: Parts, data: Data, steps: Selectable) -> Selection:
    """The selection that the page shows."""
    step, checkpoint, pick = _values(data, [parts[name] for name in WAYS])
    return steps.at_step(step, checkpoint, _picked(pick)[1])


def undo_update(parts: Parts, name: str) -> Any:
    """Update of the button that undoes the last restore of an embedding."""
    title = parts.controller.results.restorer.undo_title(name)
    return gr.update(value=title or "Undo", visible=bool(title))


def _connect_choosing(parts: Parts, where: set[Any], chosen_run: ChosenRun) -> None:
    """Move everything to what was chosen, in whichever way.

    Each answer changes the other ways too, whose events then ask for what is shown already.
    """
    ways, answered = [parts[name] for name in WAYS], parts["results_chosen"]
    outputs = [parts["results_step"], parts["checkpoint"], answered, *(parts[name] for name in SHOWN)]

    def choose(data: Data) -> list[Any]:
        now, before = _values(data, ways), _read(data[answered] or "")
        if before is None or now == before or not data[parts["results_name"]]:
            return [gr.update()] * len(outputs)
        run, problem = attempt(lambda: chosen_run(data))
        chosen = _choice(run, now, before) if run else None
        if run is None or chosen is None:  # the run's own message says why, or a checkpoint is still being typed
            return [gr.update(), gr.update(), written(now), "" if problem else gr.update(), gr.update(), gr.update()]
        moved_slider = now[0] != before[0]
        return [
            gr.update() if moved_slider else chosen.step,
            gr.update() if now[1] == chosen.checkpoint else chosen.checkpoint,
            written((now[0] if moved_slider else chosen.step, chosen.checkpoint, now[2])),
            *updates(parts, run, chosen),
        ]

    for event in (parts["results_step"].release, *(one.change for one in ways)):
        follow(event, choose, by=ways, inputs={*where, *ways, answered}, outputs=outputs)


def written(values: Values) -> str:
    """Values of :data:`WAYS` as the page keeps those that it shows."""
    return json.dumps([float(values[0]), *values[1:]])


def _read(shown: str) -> Values | None:
    """What :func:`written` returned; None where the page shows nothing yet."""
    if not shown:
        return None
    step, checkpoint, pick = json.loads(shown)
    return float(step), str(checkpoint), str(pick)


def _values(data: Data, ways: list[Any]) -> Values:
    step, checkpoint, pick = (data[way] for way in ways)
    return float(step or 0), str(checkpoint or ""), str(pick or "")


def _choice(run: RunResults, now: Values, before: Values) -> Selection | None:
    """What was chosen, by what changed since the last answer; None for a checkpoint that there is not."""
    steps, number = selection.selectable(run), _picked(now[2])[1]
    if now[2] != before[2]:
        return steps.at_step(_picked(now[2])[0], now[1], number)
    if now[1] != before[1]:
        return steps.at_checkpoint(now[1], number)
    return steps.at_step(now[0], now[1], number)


def _picked(pick: str) -> tuple[int, int]:
    """Step and number of the prompt of what was pressed: ``40 2 1767261234567``, or ``40 1767261234567``."""
    numbers = [int(part) for part in pick.split() if part.isdigit()]
    return (numbers[0], numbers[1]) if len(numbers) == 3 else ((numbers or [0])[0], 1)


def _connect_restoring(parts: Parts, inputs: set[Any], chosen_run: ChosenRun) -> None:
    results, box, name = parts.controller.results, parts["checkpoint_message"], parts["results_name"]
    outputs = [box, parts["undo_restore"], parts["checkpoint_chosen"]]

    def shown(data: Data, message: str) -> list[Any]:
        run = chosen_run(data)
        current = results.current_step(run.name)
        return [
            message,
            undo_update(parts, run.name),
            view.chosen(selected(parts, data, selection.selectable(run)), current),
        ]

    def restore(data: Data) -> list[Any]:
        chosen = str(data[parts["checkpoint"]] or "")
        done, problem = attempt(lambda: results.restore_checkpoint(chosen_run(data), chosen))
        if done is None:
            return [problem, gr.update(), gr.update()]
        placed, step = done
        mark = "" if chosen.isdigit() else f" ({chosen})"
        message = f"{placed.path} is now the checkpoint of step {step}{mark}."
        return shown(data, notice("good", [message, *placed.notes]) + notice("warning", placed.warnings))

    def undo(data: Data) -> list[Any]:
        placed, problem = attempt(lambda: results.restorer.undo(str(data[name] or "")))
        if placed is None:
            return [problem, undo_update(parts, str(data[name] or "")), gr.update()]
        return shown(data, notice("good", placed.notes) + notice("warning", placed.warnings))

    parts["restore_checkpoint"].click(restore, inputs=inputs, outputs=outputs, **BUSY)
    parts["undo_restore"].click(undo, inputs=inputs, outputs=outputs, **BUSY)


def _connect_downloads(parts: Parts, inputs: set[Any], chosen_run: ChosenRun) -> None:
    results, outputs = parts.controller.results, [parts["checkpoint_message"], parts["download"]]

    def downloading(make: Callable[[Data], Path]) -> Callable[[Data], list[Any]]:
        def download(data: Data) -> list[Any]:
            path, problem = attempt(lambda: make(data))
            if path is None:
                return [problem, ""]
            return ["", view.download(path.name, address(path, AS_IT_IS), path.stat().st_size)]

        return download

    def exporting(suffix: str) -> Callable[[Data], Path]:
        return lambda data: results.export_checkpoint(chosen_run(data), str(data[parts["checkpoint"]] or ""), suffix)

    made = {name: exporting(suffix) for name, (suffix, _) in DOWNLOADS.items()}
    made["download_images"] = lambda data: results.downloads.images(chosen_run(data))
    for name, make in made.items():
        parts[name].click(downloading(make), inputs=inputs, outputs=outputs, **BUSY)


def _connect_train_more(parts: Parts, where: set[Any], chosen_run: ChosenRun) -> None:
    form, box = parts.train, parts["checkpoint_message"]

    def more(data: Data) -> list[Any]:
        values, problem = attempt(lambda: chosen_run(data).settings_to_continue())
        if values is None:
            return [problem, gr.update(), *form.updates({})]
        message = notice("good", ["The Train tab has the settings of this run. Raise Max steps there if you like."])
        return [message, gr.update(selected="train"), *form.updates(values)]

    parts["train_more"].click(more, inputs=where, outputs=[box, parts.tabs, *form.components], **BUSY)


def _connect_send(parts: Parts, inputs: set[Any], chosen_run: ChosenRun) -> None:
    """The parameters of the image that is shown go to the txt2img tab; the page's script then opens it."""
    keys = list(parts.txt2img)

    def send(data: Data) -> list[Any]:
        found, problem = attempt(lambda: _sent(parts, data, chosen_run(data)))
        if found is None:
            return [problem, *[gr.update() for _ in keys]]
        values, shown = found
        return [shown, *[gr.update(value=values[key]) if key in values else gr.update() for key in keys]]

    parts["send_txt2img"].click(
        send,
        inputs=inputs,
        outputs=[parts["checkpoint_message"], *(parts.txt2img[key] for key in keys)],
        **QUIET,
    )


def _sent(parts: Parts, data: Data, run: RunResults) -> tuple[dict[str, Any], str]:
    """Values for txt2img, and a box that says so, and which step of the embedding is used there."""
    chosen = selected(parts, data, selection.selectable(run))
    values = selection.txt2img_values(run, chosen)
    shown = notice("good", ["The preview's prompt, seed, size and sampler are in the txt2img tab."])
    current, step = parts.controller.results.current_step(run.name), chosen.checkpoint_step
    if current is not None and step is not None and current != step:
        warning = f"txt2img uses {run.name} as it is now, of step {current}: press Restore step {step} to use that one."
        shown += notice("warning", [warning])
    return values, shown
