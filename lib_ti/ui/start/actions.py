"""Actions of the sub-tab Start: what its events do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.errors import BadInput
from lib_ti.placeholders import with_name
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import BUSY, QUIET
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.parts import Parts
from lib_ti.ui.start import view
from lib_ti.ui.widgets import upload_field
from lib_ti.ui.widgets.latest import follow

if TYPE_CHECKING:
    from lib_ti.ui.results.state import RunResults

Data = dict[Any, Any]


def connect(parts: Parts) -> None:
    form, service, watched = parts.make, parts.controller.start, _watched(parts)
    files = parts["make_files_uploaded"]

    def start(data: Data) -> list[Any]:
        folder, problem = attempt(lambda: service.start(form.values(data), upload_field.read(data[files])))
        # The keyword is not free any more, and the steps of Dataset are about these images.
        others = [gr.update(), gr.update()] if folder is None else ["", folder]
        return [problem, *others, *updates(parts, "")]

    def stop() -> list[Any]:
        service.stop()
        return updates(parts, "")

    parts["make_it"].click(
        start,
        inputs={*form.components, files},
        outputs=[parts["make_message"], parts["make_keyword_remarks"], parts["dataset_folder"], *watched],
        **BUSY,
    )
    parts["make_stop"].click(stop, inputs=[], outputs=watched, **QUIET)
    parts["make_refresh"].click(
        lambda data: updates(parts, data[parts["make_seen"]] or ""),
        inputs={parts["make_seen"]},
        outputs=watched,
        **QUIET,
    )
    named = {form["keyword"], form["kind"], form["log_directory"]}

    def remarks(data: Data) -> str:
        shown, problem = attempt(lambda: service.keyword_remarks(*(data[form[key]] or "" for key in _NAMED)))
        return problem or shown or ""

    for field in (form["keyword"], form["kind"]):
        follow(field.change, remarks, by=[field], inputs=named, outputs=[parts["make_keyword_remarks"]])
    _connect_result(parts)


_NAMED = ("keyword", "kind", "log_directory")


def _connect_result(parts: Parts) -> None:
    """Use the keyword in txt2img, train it further, or download it."""
    train, box = parts.train, parts["make_used"]

    def more() -> list[Any]:
        values, problem = attempt(lambda: _run(parts).settings_to_continue())
        if values is None:
            return [problem, gr.update(), *train.updates({})]
        return ["", gr.update(selected="train"), *train.updates(values)]

    def export() -> list[Any]:
        path, problem = attempt(lambda: _exported(parts))
        return [problem, gr.update(visible=False) if path is None else gr.update(value=path, visible=True)]

    parts["make_more"].click(more, inputs=[], outputs=[box, parts.tabs, *train.components], **BUSY)
    parts["make_export"].click(export, inputs=[], outputs=[box, parts["make_download"]], **BUSY)
    if "make_use" in parts.own:
        keys = [key for key in ("prompt", "seed") if key in parts.txt2img]

        def use() -> list[Any]:
            now = parts.controller.start.status().detail
            prompt = next(iter(now.facts.get("prompts", ())), "[name]")
            values = {"prompt": with_name(prompt, now.keyword), "seed": now.facts.get("seed", -1)}
            message = notice("good", [f"A prompt with {now.keyword} is in the txt2img tab."])
            return [message, *(gr.update(value=values[key]) for key in keys)]

        parts["make_use"].click(use, inputs=[], outputs=[box, *(parts.txt2img[key] for key in keys)], **QUIET)


def _run(parts: Parts) -> RunResults:
    """The newest run of the keyword that was made last."""
    now = parts.controller.start.status().detail
    if now is None:
        raise BadInput("Nothing was made since the program was started: see Results.")
    return parts.controller.results.run(str(now.settings["log_directory"]), now.keyword, "")


def _exported(parts: Parts) -> str:
    run = _run(parts)
    checkpoints = list(run.checkpoints())
    chosen = "best" if "best" in checkpoints else next(reversed(checkpoints), "")
    return str(parts.controller.results.export_checkpoint(run, chosen, ".safetensors"))


def _watched(parts: Parts) -> list[Any]:
    names = ("make_status", "make_run", "make_result", "make_seen", "make_it", "make_stop")
    return [*(parts[name] for name in names), parts.make_buttons]


def updates(parts: Parts, seen: str) -> list[Any]:
    """Updates of everything that shows a Make it; ``seen`` is the state that the last ones left in the page."""
    now = parts.controller.start.status()
    version, _, shown = seen.partition(" ")
    stamp = f"{now.version}{now.state}"
    if now.detail is None or version == stamp:
        return [gr.update()] * len(_watched(parts))
    key = view.run_key(now.detail)
    return [
        view.status(now, parts.seconds),
        gr.update() if key == shown else view.run(now.detail),
        view.result(now.detail),
        f"{stamp} {key}",
        gr.update(interactive=not now.active),
        gr.update(interactive=now.active and now.state != "stopping"),
        gr.update(visible=now.detail.finished),
    ]


def on_load(blocks: gr.Blocks, parts: Parts) -> None:
    """A new page shows the Make it in progress or the last one, or one that the end of the program interrupted."""
    form, service = parts.make, parts.controller.start

    def load(data: Data) -> list[Any]:
        now = service.status()
        if now.detail is not None:
            return [*form.updates(_fields(now.detail.settings)), "", *updates(parts, "")]
        left = service.unfinished(data[form["log_directory"]] or "")
        if left is None:
            return [*form.updates({}), "", *[gr.update()] * len(_watched(parts))]
        return [*form.updates(_fields(left.settings)), view.unfinished(left), *[gr.update()] * len(_watched(parts))]

    outputs = [*form.components, parts["make_message"], *_watched(parts)]
    blocks.load(load, inputs={form["log_directory"]}, outputs=outputs, **QUIET)


def _fields(settings: Any) -> dict[str, Any]:
    """Values of the form from the settings of a Make it."""
    return {name: settings[name] for name in ("images", "keyword", "kind", "what", "max_steps") if name in settings}
