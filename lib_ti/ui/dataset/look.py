"""Step: what the found pictures are like, which show the same, and which are excluded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import INSPECTION
from lib_ti.background.tasks import TASKS, TaskContext
from lib_ti.config import InspectConfig
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.look_columns import BY_NAME, ORDERS, turned
from lib_ti.ui.dataset.look_desk import Data, Desk
from lib_ti.ui.dataset.look_query import GALLERY, LAYOUTS
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import BUSY, QUIET, Parts
from lib_ti.ui.widgets.form import Form
from lib_ti.ui.widgets.latest import follow
from lib_ti.wording import counted

if TYPE_CHECKING:
    from lib_ti.ui.dataset.look_view import View
    from lib_ti.ui.dataset.look_work import LookedOver

TITLE = "Look over"
_ROWS = (
    ("blurry", "motion_blur"), ("noise", "blocks"), ("dark", "bright"), ("contrast", "text"), ("small", "duplicates"),
)  # fmt: skip
_DECIDING = {"advised": "Excluded", "leave": "Excluded", "take": "Included", "save_names": "Changed"}
"""The buttons that decide about many pictures, and how that is called."""
_BEGIN = (
    "Press “Look over” to see which pictures are sharp, clear and large enough to train on, and which show the same."
)


def layout(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("look_over", "Look over", variant="primary")
        parts.button("look_advised", "Exclude suggested", interactive=False)
        parts.button("look_undo", "Undo", interactive=False)
        parts.button("look_redo", "Redo", interactive=False)
    parts.html("look_said")
    _for_the_script(parts, "look_changes")
    parts.html("look_summary", hint(_BEGIN))
    _thresholds(parts)
    with gr.Column(visible=False) as shown:
        parts.keep("look_shown", shown)
        _choosing(parts)
        _for_the_script(parts, "look_head")
        parts.html("look_pictures")
        _as_text(parts)
    parts.keep("look_seen", gr.State(""))


def _for_the_script(parts: Parts, name: str) -> None:
    """A field that the page's script fills in: with decisions, or the column whose head was pressed."""
    parts.keep(name, gr.Textbox("", show_label=False, elem_id=f"ti_{name}", elem_classes="ti-hidden"))


def _thresholds(parts: Parts) -> None:
    form = parts.look = Form(InspectConfig, "ti_look")
    with gr.Accordion("Thresholds: from which values on a picture gets a badge", open=False):
        for row in _ROWS:
            with gr.Row():
                form.add(*row)
        parts.button("look_usual", "Usual values", size="sm")


def _choosing(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-line"):
        layouts = gr.Radio(list(LAYOUTS), value=GALLERY, label="Show as", elem_id="ti_look_layout")
        orders = gr.Dropdown(list(ORDERS), value=BY_NAME, label="Order", elem_id="ti_look_order")
        find = gr.Textbox(
            label="Show only",
            info="Words from the line above, commas between them; group and its number; or a part of a name.",
            max_lines=1,
            elem_id="ti_look_find",
        )
    for name, component in (("look_layout", layouts), ("look_order", orders), ("look_find", find)):
        parts.keep(name, component)
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("look_leave", "Exclude all shown", size="sm")
        parts.button("look_take", "Include all shown", size="sm")


def _as_text(parts: Parts) -> None:
    with gr.Accordion("What is excluded, as text", open=False):
        parts.keep(
            "look_names",
            gr.Textbox(
                label="Excluded",
                info="A file name in each line; pictures without one are in use.",
                lines=4,
                max_lines=20,
                elem_id="ti_look_names",
            ),
        )
        parts.button("look_save_names", "Save this list", size="sm")


def connect(parts: Parts) -> None:
    desk = Desk(parts)
    _connect_looking(parts, desk)
    _connect_controls(parts, desk)
    _connect_switches(parts, desk)
    _connect_buttons(parts, desk)
    _connect_undo(parts, desk)


def _connect_looking(parts: Parts, desk: Desk) -> None:
    source, output = parts["dataset_folder"], parts.prepare["output"]
    subfolders, line = parts.prepare["subfolders"], parts.task_line

    def begin(data: Data) -> list[Any]:
        chosen = (data[source] or "").strip()

        def begun() -> list[Any]:
            from lib_ti.ui.dataset import look_work

            prepared = parts.preparation.output(chosen, data[output] or "")
            found, folder = look_work.folders(parts.controller.host.folders, chosen, prepared)
            config, before, inner = desk.config(data), TASKS.result(INSPECTION), bool(data[subfolders])

            def work(task: TaskContext) -> LookedOver:
                return look_work.look(found, folder, config, task, before, subfolders=inner)

            said, *updates = line.start(INSPECTION, f"Looking at {found.name}", work)
            return [said, prepared, *updates]

        updates, problem = attempt(begun)
        return updates or [problem, gr.update(), *line.updates()]

    def ended(data: Data) -> list[Any]:
        return desk.changed(data) if line.succeeded(data, INSPECTION) else desk.same()

    parts["look_over"].click(
        begin,
        inputs={*desk.inputs, subfolders},
        outputs=[parts["look_said"], output, *line.outputs],
        **BUSY,
    )
    line.done.change(ended, inputs={line.done, *desk.inputs}, outputs=desk.outputs, **QUIET)
    line.show_outcome(INSPECTION, parts["look_said"])
    parts["step_look"].select(desk.opened, inputs=desk.inputs, outputs=desk.outputs, **QUIET)


def _connect_controls(parts: Parts, desk: Desk) -> None:
    """Thresholds, layout, order and search are followed at once."""
    for control in desk.controls:
        follow(control.change, desk.changed, by=[control], inputs=desk.inputs, outputs=desk.outputs)
    order, head = parts["look_order"], parts["look_head"]

    def sort(data: Data) -> Any:
        return gr.update(value=turned(data[order] or "", (data[head] or "").partition(" ")[0]))

    def usual() -> list[Any]:
        return parts.look.updates({name: getattr(InspectConfig, name) for name in parts.look.inputs})

    head.input(sort, inputs={order, head}, outputs=[order], **QUIET)
    parts["look_usual"].click(usual, inputs=[], outputs=parts.look.components, **QUIET)


def _connect_switches(parts: Parts, desk: Desk) -> None:
    """What is switched in the page is written at once."""
    changes = parts["look_changes"]

    def save(data: Data) -> list[Any]:
        from lib_ti.ui.dataset import look_page, look_work

        sent, problem = attempt(lambda: look_work.read_changes(data[changes] or ""))
        if sent is None:
            return desk.nothing(problem)
        pictures = desk.is_old(data)  # else the page shows it already
        kept, problem = attempt(lambda: look_work.keep(TASKS.result(INSPECTION), sent))
        if kept is None:
            return desk.nothing(look_page.refused(sent.number, problem))
        return desk.updates(data, look_page.kept(sent.number), pictures=pictures)

    changes.input(save, inputs=desk.inputs | {changes}, outputs=desk.outputs, **QUIET)


def _connect_buttons(parts: Parts, desk: Desk) -> None:
    """Decisions about many pictures."""
    names = parts["look_names"]

    def choose(button: str, view: View, data: Data) -> Mapping[str, bool]:
        """Which images to exclude, and which to include."""
        from lib_ti.ui.dataset import look_work

        if button == "advised":
            return look_work.advised(view.pictures)
        if button == "save_names":
            return look_work.read_names(data[names] or "", view.pictures)
        return {seen.digest: button == "leave" for seen in view.shown}

    def deciding(button: str, done: str) -> Callable[[Data], list[Any]]:
        def decide(data: Data) -> list[Any]:
            from lib_ti.ui.dataset.look_view import View

            looked = TASKS.result(INSPECTION)
            if looked is None:
                return desk.nothing(hint(_BEGIN))
            count, problem = attempt(lambda: looked.decide(choose(button, View.of(looked, desk.asked(data)), data)))
            return desk.nothing(problem) if count is None else desk.updates(data, _said(done, count))

        return decide

    for button, done in _DECIDING.items():
        parts[f"look_{button}"].click(
            deciding(button, done), inputs=desk.inputs | {names}, outputs=desk.outputs, **BUSY
        )


def _connect_undo(parts: Parts, desk: Desk) -> None:
    """The last decision taken back, and made again."""

    def travelling(way: str, done: str) -> Callable[[Data], list[Any]]:
        def travel(data: Data) -> list[Any]:
            looked = TASKS.result(INSPECTION)
            count, problem = attempt(lambda: getattr(looked, way)() if looked else 0)
            return desk.nothing(problem) if count is None else desk.updates(data, _said(done, count))

        return travel

    for way, done in (("undo", "Undone"), ("redo", "Redone")):
        parts[f"look_{way}"].click(travelling(way, done), inputs=desk.inputs, outputs=desk.outputs, **BUSY)


def _said(done: str, count: int) -> str:
    return hint(f"{done}: {counted(count, 'picture')}." if count else "Nothing is changed by that.")
