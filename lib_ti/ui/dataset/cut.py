"""Step: which parts of the pictures are used. All pictures in a grid, on each its frames; or the same as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.background.kinds import CROPPING
from lib_ti.background.tasks import TASKS, TaskContext
from lib_ti.errors import BadInput
from lib_ti.ui.attempt import attempt
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import BUSY, QUIET, Parts

if TYPE_CHECKING:
    from lib_ti.ui.dataset.cut_work import FramedSet

TITLE = "Cut"
_BEGIN = "Press “Show frames” to see where the pictures will be cut, and to change it."
_SHOW_AGAIN = "Folder, size or shape were changed since these frames were shown: press “Show frames” again."


def layout(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("cut_show", "Show frames", variant="primary")
    parts.html("cut_said")
    parts.html("cut_grid", hint(_BEGIN))
    parts.keep("cut_seen", gr.State(""))
    # What the page's script fills in; its "input" is what saves.
    parts.keep("cut_changes", gr.Textbox("", show_label=False, elem_id="ti_cut_changes", elem_classes="ti-hidden"))
    with gr.Accordion("Frames as text", open=False):
        parts.keep(
            "cut_text",
            gr.Textbox(
                label="A line for each picture",
                info="Name: left top width height, in pixels. Several frames are divided by semicolons; “excluded” "
                "excludes an image; lines that begin with # are default frames.",
                lines=6,
                max_lines=20,
                elem_id="ti_cut_text",
            ),
        )
        with gr.Row(elem_classes="ti-buttons"):
            parts.button("cut_read", "Write the frames here", size="sm")
            parts.button("cut_save", "Save these lines", size="sm")


def connect(parts: Parts) -> None:
    form, host, line = parts.prepare, parts.controller.host, parts.task_line
    everything, shown = set(form.components), [parts["cut_grid"], parts["cut_seen"]]

    def show(data: dict[Any, Any]) -> list[Any]:
        config, problem = attempt(lambda: parts.preparation.config(form.values(data)))
        if config is None:
            return [problem, *line.updates()]

        def work(task: TaskContext) -> Any:
            from lib_ti.ui.dataset import cut_work

            return cut_work.find(config, host.tools.upscalers, task, TASKS.result(CROPPING))

        return line.start(CROPPING, f"Looking for frames in {config.source}", work)

    def ended(data: dict[Any, Any]) -> list[Any]:
        return _shown() if line.succeeded(data, CROPPING) else [gr.update(), gr.update()]

    def opened(data: dict[Any, Any]) -> list[Any]:
        """The last frames on a new page, and what another step has changed since; none of another folder."""
        found = TASKS.result(CROPPING)
        if found is not None and not found.is_of(data[form["source"]] or ""):
            return [hint(_BEGIN), ""]
        return _shown(data[parts["cut_seen"]] or "")

    parts["cut_show"].click(show, inputs=everything, outputs=[parts["cut_said"], *line.outputs], **BUSY)
    line.done.change(ended, inputs={line.done}, outputs=shown, **QUIET)
    line.show_outcome(CROPPING, parts["cut_said"])
    parts["step_cut"].select(opened, inputs={parts["cut_seen"], form["source"]}, outputs=shown, **QUIET)
    _connect_changes(parts)
    _connect_text(parts)


def _connect_changes(parts: Parts) -> None:
    """What was moved in the page is kept at once."""
    form, host = parts.prepare, parts.controller.host

    def save(data: dict[Any, Any]) -> list[Any]:
        from lib_ti.ui.dataset import cut_page, cut_work

        changes, problem = attempt(lambda: cut_work.read_changes(data[parts["cut_changes"]] or ""))
        if changes is None:
            return [problem, gr.update()]
        edits, problem = attempt(lambda: cut_work.keep(host.folders, changes))
        if edits is None:
            return [cut_page.not_saved(changes.number, problem), gr.update()]
        config, _ = attempt(lambda: parts.preparation.config(form.values(data)))
        found = TASKS.result(CROPPING)
        remark = "" if found and config and found.fits(config) else _SHOW_AGAIN
        return [cut_page.saved(changes.number, edits, remark), _seen(found)]

    parts["cut_changes"].input(
        save,
        inputs={parts["cut_changes"], *form.components},
        outputs=[parts["cut_said"], parts["cut_seen"]],
        **QUIET,
    )


def _connect_text(parts: Parts) -> None:
    form = parts.prepare

    def fitting(data: dict[Any, Any]) -> FramedSet:
        config, found = parts.preparation.config(form.values(data)), TASKS.result(CROPPING)
        if found is None or not found.fits(config):
            raise BadInput(_SHOW_AGAIN if found else _BEGIN)
        return found

    def read(data: dict[Any, Any]) -> list[Any]:
        from lib_ti.prep.manifest import read_manifest
        from lib_ti.ui.dataset import cut_text

        def lines() -> str:
            found = fitting(data)
            return cut_text.write_lines(found, read_manifest(found.folder).edits)

        text, problem = attempt(lines)
        return [problem, gr.update() if text is None else text]

    def save(data: dict[Any, Any]) -> list[Any]:
        from lib_ti.prep.manifest import read_manifest
        from lib_ti.ui.dataset import cut_page, cut_text, cut_work

        def keep() -> Any:
            found = fitting(data)
            edits = read_manifest(found.folder).edits
            return cut_work.decide(found.folder, cut_text.read_lines(data[parts["cut_text"]] or "", found, edits))

        edits, problem = attempt(keep)
        if edits is None:
            return [problem, gr.update(), gr.update()]
        return [cut_page.saved("", edits), *_shown()]

    inputs = {parts["cut_text"], *form.components}
    parts["cut_read"].click(read, inputs=inputs, outputs=[parts["cut_said"], parts["cut_text"]], **BUSY)
    parts["cut_save"].click(
        save, inputs=inputs, outputs=[parts["cut_said"], parts["cut_grid"], parts["cut_seen"]], **BUSY
    )


def _shown(seen: str = "") -> list[Any]:
    """The grid as it is by now, and what stands for it; nothing new where a page has ``seen`` that."""
    found = TASKS.result(CROPPING)
    if found is None or seen == _seen(found):
        return [gr.update(), gr.update()]
    from lib_ti.prep.manifest import read_manifest
    from lib_ti.ui.dataset import cut_page

    now = _seen(found)
    grid, problem = attempt(lambda: cut_page.grid(found, read_manifest(found.folder).edits))
    return [problem or grid, now]


def _seen(found: FramedSet | None) -> str:
    """Stands for the frames that were found and what was decided about them."""
    if found is None:
        return ""
    try:
        return f"{id(found)} {found.folder.manifest.stat().st_mtime_ns}"
    except OSError:
        return f"{id(found)}"
