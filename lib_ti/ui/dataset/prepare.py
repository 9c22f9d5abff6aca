"""Step: settings of the preparation, a look at what it would do, the preparation itself, and its result in use."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.background.kinds import PREPARATION, ZIP
from lib_ti.background.tasks import TASKS, TaskContext
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.folders import Folders
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import BUSY, QUIET, Parts
from lib_ti.wording import counted

TITLE = "Prepare"
_ROWS = (("shape", "framing"), ("upscaler", "downscale"), ("name", "name_pattern"))
_FLIPPED = (("flip", "flip_words"),)
_SPLIT = (("split",), ("split_threshold", "split_overlap"))
_REST = (("name_captions", "workers"),)


def layout(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=1, min_width=320):
            _rows(parts, _ROWS)
            with gr.Accordion("Flipped copies, splitting", open=False):
                _rows(parts, (*_FLIPPED, *_SPLIT))
            with gr.Accordion("More", open=False):
                _rows(parts, _REST)
        with gr.Column(scale=1, min_width=320):
            with gr.Row(elem_classes="ti-buttons"):
                parts.button("prepare_plan", "Dry run")
                parts.button("prepare_run", "Prepare", variant="primary")
            parts.html("prepare_said")
            with gr.Row(elem_classes="ti-buttons"):
                parts.button("prepare_use", "Use for training")
                parts.button("prepare_zip", "Download as zip", size="sm")
            parts.box("prepare_used", answered_by="prepare_said")
            parts.keep(
                "prepare_download",
                gr.File(label="Download", visible=False, interactive=False, elem_id="ti_prepare_download"),
            )


def _rows(parts: Parts, rows: tuple[tuple[str, ...], ...]) -> None:
    for row in rows:
        with gr.Row():
            parts.prepare.add(*row)


def connect(parts: Parts) -> None:
    form, host, folders, line = parts.prepare, parts.controller.host, Folders(parts), parts.task_line
    everything = {*form.components, *folders.inputs}

    def dry_run(data: dict[Any, Any]) -> str:
        from lib_ti.ui.dataset import prepare_page

        shown, problem = attempt(lambda: prepare_page.plan(parts.preparation.plan(form.values(data))))
        return problem or _unsaved(data[form["source"]]) + (shown or "")

    def prepare(data: dict[Any, Any]) -> list[Any]:
        plan, problem = attempt(lambda: parts.preparation.plan(form.values(data)))
        problem = problem or folders.behind(data)
        if plan is None or problem:
            return [problem, *line.updates()]

        def work(task: TaskContext) -> Any:
            from lib_ti.prep.recipe.execute import execute_plan

            progress, stop = task.report_progress, task.stop_requested
            summary = execute_plan(plan, tools=host.tools, progress=progress, stop=stop, report=task.report_message)
            return plan, summary

        return line.start(PREPARATION, f"Preparing {plan.source.name}", work, _unsaved(data[form["source"]]))

    def ended(data: dict[Any, Any]) -> list[Any]:
        if line.succeeded(data, PREPARATION):
            from lib_ti.ui.dataset import prepare_page

            plan, summary = TASKS.result(PREPARATION)
            return [_unsaved(str(plan.source)) + prepare_page.summary(plan, summary), gr.update()]
        if line.succeeded(data, ZIP):
            return [gr.update(), gr.update(value=str(TASKS.result(ZIP)), visible=True)]
        return [gr.update(), gr.update()]

    parts["prepare_plan"].click(dry_run, inputs=set(form.components), outputs=[parts["prepare_said"]], **BUSY)
    parts["prepare_run"].click(prepare, inputs=everything, outputs=[parts["prepare_said"], *line.outputs], **BUSY)
    line.done.change(ended, inputs={line.done}, outputs=[parts["prepare_said"], parts["prepare_download"]], **QUIET)
    line.show_outcome(PREPARATION, parts["prepare_said"])
    line.show_outcome(ZIP, parts["prepare_used"])
    _connect_use(parts)


def _unsaved(folder: str | None) -> str:
    """A box that says so where captions are changed and not saved, which are not taken; or nothing."""
    from lib_ti.ui.dataset.captions_editing import unsaved

    said = unsaved(folder or "")
    return notice("warning", [said]) if said else ""


def _connect_use(parts: Parts) -> None:
    """The prepared folder, handed to the Train tab or as one file."""
    form, train, line = parts.prepare, parts.train, parts.task_line
    named = {form["source"], form["output"]}

    def prepared(data: dict[Any, Any]) -> str:
        return parts.preparation.output(data[form["source"]] or "", data[form["output"]] or "")

    def use(data: dict[Any, Any]) -> list[Any]:
        folder = prepared(data)
        found, problem = attempt(lambda: parts.preparation.training_set(folder))
        if found is None:
            return [problem, *[gr.update()] * 6]
        masks = gr.update(value=True) if found.masks else gr.update()
        said = notice("good", [f"The Train tab has {counted(found.pictures, 'picture')} of {folder}."])
        if found.excluded:
            left = f"{counted(found.excluded, 'result')} of images that were excluded since will not be trained"
            said += notice("warning", [f"{left}: press Prepare to remove them from the folder."])
        sides = data[form["width"]], data[form["height"]]
        return [said, gr.update(selected="train"), folder, False, *sides, masks]

    def pack(data: dict[Any, Any]) -> list[Any]:
        found, problem = attempt(lambda: parts.preparation.training_set(prepared(data)))
        if found is None:
            return [problem, *line.updates()]
        return line.start(ZIP, "Writing the zip file", lambda task: parts.preparation.pack(found, task))

    parts["prepare_use"].click(
        use,
        inputs={*named, form["width"], form["height"]},
        outputs=[
            parts["prepare_used"], parts.tabs,
            *(train[name] for name in ("dataset", "subfolders", "width", "height", "use_alpha")),
        ],
        **BUSY,
    )  # fmt: skip
    parts["prepare_zip"].click(pack, inputs=named, outputs=[parts["prepare_used"], *line.outputs], **BUSY)
