"""Actions of the sub-tab Train: what its events do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_ti.config import NO_PRESET, TrainConfig, preset_fields
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.html.fragments import hint, holds_error, notice
from lib_ti.ui.parts import Parts, choices
from lib_ti.ui.train import check_box, effects, template_fields, view
from lib_ti.ui.train.sampling_names import with_known_names
from lib_ti.ui.train.service import TXT2IMG
from lib_ti.ui.widgets import listed, own_size
from lib_ti.ui.widgets.latest import follow


def connect(parts: Parts) -> None:
    form, controller, runs = parts.train, parts.controller, parts.controller.runs
    template_saved = template_fields.connect(parts)
    listed.connect(parts, form["name"], "train_name", controller.embeddings)
    parts["train_name_new"].click(lambda: gr.update(selected="create"), inputs=[], outputs=[parts.tabs], **QUIET)
    _connect_dataset(parts)
    _connect_preset(parts)
    sides = form["width"], form["height"]
    own_size.connect(parts["train_tab"], sides, parts["own_size"], lambda: controller.host.models.size)
    effects.connect(parts)
    check_box.connect(parts, template_saved)
    watched, read = _watched(parts), tuple(TXT2IMG.values())

    def starting(*, new_data: bool) -> Callable[[dict[Any, Any]], list[Any]]:
        def start(data: dict[Any, Any]) -> list[Any]:
            chosen = bool(parts.txt2img) and data[parts["from_txt2img"]]
            taken = {key: data[component] for key, component in parts.txt2img.items()} if chosen else {}
            taken, replaced = with_known_names(taken, parts.samplers, parts.schedulers)
            _, problem = attempt(lambda: controller.train.start(form.values(data), taken, new_data=new_data))
            # Values read from txt2img, with [name] in place of the embedding's name.
            started = {} if problem else runs.snapshot().settings
            checks = controller.train.automatic_checks
            shown = problem or (notice("info", replaced) if replaced else "")
            busy = bool(problem) and not holds_error(problem)  # which is no result of a check
            checks.show(data[parts["check_page"]], form.values(data), "" if busy else shown)
            return [
                shown,
                *run_updates(parts, ""),
                *(gr.update(value=started[key]) if started else gr.update() for key in read),
            ]

        return start

    def asking(request: Callable[[], None]) -> Callable[[], list[Any]]:
        def ask() -> list[Any]:
            request()
            return run_updates(parts, "")

        return ask

    inputs = {*form.components, parts["check_page"], *(c for key, c in parts.txt2img.items() if key in TXT2IMG)}
    inputs |= {parts["from_txt2img"]} if parts.txt2img else set()
    for name, new_data in (("start", False), ("start_new", True)):
        outputs = [parts["check_result"], *watched, *(form[key] for key in read)]
        parts[name].click(starting(new_data=new_data), inputs=inputs, outputs=outputs, **QUIET)
    for name, request in (("stop", runs.stop), ("save_now", runs.save_now), ("preview_now", runs.preview_now)):
        parts[name].click(asking(request), inputs=[], outputs=watched, **QUIET)
    parts["refresh"].click(
        lambda data: run_updates(parts, data[parts["seen"]] or ""), inputs={parts["seen"]}, outputs=watched, **QUIET
    )


def _connect_preset(parts: Parts) -> None:
    """Fill in what a preset sets when a person chooses it; what is changed afterwards counts."""
    form, filled = parts.train, parts["preset_filled"]
    preset = form["preset"]

    def fill(data: dict[Any, Any]) -> list[Any]:
        chosen = data[preset] or NO_PRESET
        if chosen == data[filled]:  # by a program, with the other settings of a run
            return [gr.update()] * len(form.components)
        updates = dict(zip(form.components, form.updates(preset_fields(chosen)), strict=True))
        return list({**updates, filled: chosen}.values())

    preset.input(fill, inputs={preset, filled}, outputs=form.components, **QUIET)


def _connect_dataset(parts: Parts) -> None:
    """Show the images of Dataset directory, and a hint when it is not the prepared folder; nothing else fills it in."""
    dataset, source, output = parts.train["dataset"], parts.prepare["source"], parts.prepare["output"]

    subfolders = parts.train["subfolders"]

    def show(data: dict[Any, Any]) -> list[Any]:
        """A folder whose name is still being typed is not refused; Check and the run do that."""
        folders = [data[one] or "" for one in (dataset, source, output)]
        text, _ = attempt(lambda: parts.preparation.training_hint(*folders))
        found, _ = attempt(lambda: parts.controller.train.images(folders[0], subfolders=bool(data[subfolders])))
        strip = view.dataset_strip(*found) if found and folders[0].strip() else ""
        return [hint(text) if text else "", strip]

    inputs, outputs = {dataset, source, output, subfolders}, [parts["train_dataset_hint"], parts["train_images"]]
    parts["train_tab"].select(show, inputs=inputs, outputs=outputs, **QUIET)
    for one in (dataset, subfolders):
        follow(one.change, show, by=[dataset, subfolders], inputs=inputs, outputs=outputs)


def _watched(parts: Parts) -> list[Any]:
    names = ("status", "start_new", "curve", "previews", "seen", "start", "stop", "save_now", "preview_now")
    return [parts[name] for name in names]


def run_updates(parts: Parts, seen: str) -> list[Any]:
    """Updates of everything that shows the run; ``seen`` is the state that the last ones left in the page."""
    now = parts.controller.runs.snapshot()
    version, _, shown_previews = seen.partition(" ")
    if version == f"{now.version}{now.stopping}":
        return [gr.update()] * len(_watched(parts))
    key = view.previews_key(now)
    return [
        view.status(now, parts.seconds),
        gr.update(visible=now.state == "asking"),
        view.curve(now),
        gr.update() if key == shown_previews else view.previews(now),
        f"{now.version}{now.stopping} {key}",
        gr.update(interactive=not now.active),
        *(gr.update(interactive=now.active and not now.stopping) for _ in range(3)),
    ]


def on_load(blocks: gr.Blocks, parts: Parts) -> None:
    """A new page shows the current or last run with its settings, and the files that exist by now."""
    form, controller = parts.train, parts.controller

    def load() -> list[Any]:
        settings, own = dict(controller.runs.snapshot().settings), controller.host.models.size
        sides = [settings.get(side) or own for side in ("width", "height")]
        settings |= dict(zip(("width", "height"), sides, strict=True))
        listed = {"name": controller.embeddings(), "template": controller.templates.names()}
        fields = dict(zip(form.components, form.updates(settings), strict=True))
        for name, names in listed.items():
            fields[form[name]] = choices(names, settings.get(name))
        template = settings.get("template") or TrainConfig.template
        lines, _ = attempt(lambda: controller.templates.text(template))
        filled = own if sides == [own, own] else 0
        loaded = [filled, lines or "", template if lines else "", check_box.new_page()]
        return [*fields.values(), *loaded, *run_updates(parts, "")]

    others = [parts[name] for name in ("own_size", "template_text", "template_loaded", "check_page")]
    outputs = [*form.components, *others, *_watched(parts)]
    blocks.load(load, inputs=[], outputs=outputs, **QUIET)
