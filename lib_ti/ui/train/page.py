"""Layout of the sub-tab Train: settings with the essentials first, prompt template, check, and the run in progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_ti.config import TrainConfig
from lib_ti.ui.attempt import attempt
from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import BUSY, QUIET, Parts, choices
from lib_ti.ui.train import template_fields, view
from lib_ti.ui.train.actions import TXT2IMG
from lib_ti.ui.widgets import listed
from lib_ti.ui.widgets.form import Form, dropdown, image_side
from lib_ti.ui.widgets.latest import follow

ESSENTIAL = ("learning_rate", "max_steps")
SAVING = ("save_image_every", "save_embedding_every", "png_chunks")
PREVIEWS = (
    ("preview_prompt", "preview_negative"),
    ("preview_sampler", "preview_scheduler"),
    ("preview_steps", "preview_cfg"),
    ("preview_width", "preview_height"),
    ("preview_seed",),
)
GROUPS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    (
        "Images and prompts",
        (("resize",), ("shuffle_tags", "tag_dropout"), ("latent_sampling",), ("use_alpha", "cache_latents")),
    ),
    (
        "Learning",
        (
            ("gradient_accumulation", "warmup_steps"),
            ("learning_rate_decay", "weight_decay"),
            ("clip", "clip_value"),
            ("validate_every", "validation_split"),
            ("seed",),
        ),
    ),
    ("Model, memory and folders", (("precision",), ("gradient_checkpointing",), ("log_directory",))),
)
"""Accordions, and the rows of settings in each."""


def layout(parts: Parts) -> None:
    form = parts.train = Form(
        TrainConfig,
        "ti_train",
        defaults=parts.defaults,
        overrides={
            "name": dropdown(),
            "template": dropdown(default=TrainConfig.template),
            "width": image_side("In pixels, filled in from the model."),
            "height": image_side("In pixels, filled in from the model."),
            "preview_sampler": dropdown(parts.samplers, TrainConfig.preview_sampler),
            "preview_scheduler": dropdown(parts.schedulers, TrainConfig.preview_scheduler),
        },
    )
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=1, min_width=320):
            listed.layout(parts, form, "name")
            form.add("dataset")
            parts.html("train_dataset_hint")
            form.add("subfolders")
            template_fields.layout(parts)
            _essentials(form)
            _saving(parts)
            for title, rows in GROUPS:
                with gr.Accordion(title, open=False):
                    _rows(form, rows)
        with gr.Column(scale=1, min_width=320):
            _run(parts)


def _essentials(form: Form) -> None:
    _rows(form, (ESSENTIAL, ("width", "height"), ("batch_size",)))


def _rows(form: Form, rows: tuple[tuple[str, ...], ...]) -> None:
    for row in rows:
        with gr.Row():
            form.add(*row)


def _saving(parts: Parts) -> None:
    form = parts.train
    with gr.Accordion("Saving and previews", open=True):
        _rows(form, (SAVING[:2], SAVING[2:]))
        if parts.txt2img:
            parts.keep(
                "from_txt2img",
                gr.Checkbox(
                    False,
                    label="Read parameters (prompt, etc...) from txt2img tab when making previews",
                    info="Read when the run starts, and shown next to it. Seed -1 chooses one for the whole run.",
                    elem_id="ti_from_txt2img",
                ),
            )
        with gr.Accordion("Preview settings", open=False):
            _rows(form, PREVIEWS)


def _run(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("check", "Check")
        parts.button("start", "Train Embedding", variant="primary")
        parts.button("stop", "Interrupt", variant="stop", interactive=False)
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("save_now", "Save now", interactive=False, size="sm")
        parts.button("preview_now", "Preview now", interactive=False, size="sm")
        parts.button("refresh", "Refresh", size="sm")
    parts.html("check_result")
    now = parts.controller.runs.snapshot()
    parts.html("status", view.status(now, parts.seconds))
    parts.button("start_new", "Train on the new images", visible=now.state == "asking")
    parts.html("curve")
    parts.html("previews")
    parts.keep("seen", gr.State(""))


def connect(parts: Parts) -> None:
    template_fields.connect(parts)
    listed.connect(parts, parts.train["name"], "train_name", parts.controller.embeddings)
    _connect_dataset(parts)
    form, controller, runs = parts.train, parts.controller, parts.controller.runs
    watched, read = _watched(parts), tuple(TXT2IMG.values())

    def check(data: dict[Any, Any]) -> str:
        found, problem = attempt(lambda: controller.train.check(form.values(data)))
        return problem or found or ""

    def starting(*, new_data: bool) -> Callable[[dict[Any, Any]], list[Any]]:
        def start(data: dict[Any, Any]) -> list[Any]:
            wanted = bool(parts.txt2img) and data[parts["from_txt2img"]]
            taken = {key: data[component] for key, component in parts.txt2img.items()} if wanted else None
            _, problem = attempt(lambda: controller.train.start(form.values(data), taken, new_data=new_data))
            # Values read from txt2img, with [name] in place of the embedding's name.
            begun = {} if problem else runs.snapshot().settings
            return [
                problem,
                *run_updates(parts, ""),
                *(gr.update(value=begun[key]) if begun else gr.update() for key in read),
            ]

        return start

    def asking(request: Callable[[], None]) -> Callable[[], list[Any]]:
        def ask() -> list[Any]:
            request()
            return run_updates(parts, "")

        return ask

    parts["check"].click(check, inputs=set(form.components), outputs=[parts["check_result"]], **BUSY)
    inputs = {*form.components, *(c for key, c in parts.txt2img.items() if key in TXT2IMG)}
    inputs |= {parts["from_txt2img"]} if parts.txt2img else set()
    for name, new_data in (("start", False), ("start_new", True)):
        outputs = [parts["check_result"], *watched, *(form[key] for key in read)]
        parts[name].click(starting(new_data=new_data), inputs=inputs, outputs=outputs, **QUIET)
    for name, request in (("stop", runs.stop), ("save_now", runs.save_now), ("preview_now", runs.preview_now)):
        parts[name].click(asking(request), inputs=[], outputs=watched, **QUIET)
    parts["refresh"].click(
        lambda data: run_updates(parts, data[parts["seen"]] or ""), inputs={parts["seen"]}, outputs=watched, **QUIET
    )


def _connect_dataset(parts: Parts) -> None:
    """Show a hint when Dataset directory is not the prepared folder; nothing else fills it in."""
    dataset, source, output = parts.train["dataset"], parts.prepare["source"], parts.prepare["output"]

    def hinted(data: dict[Any, Any]) -> str:
        folders = [data[one] or "" for one in (dataset, source, output)]
        said, _ = attempt(lambda: parts.preparation.training_hint(*folders))
        return hint(said) if said else ""

    inputs, outputs = {dataset, source, output}, [parts["train_dataset_hint"]]
    parts["train_tab"].select(hinted, inputs=inputs, outputs=outputs, **QUIET)
    follow(dataset.change, hinted, by=[dataset], inputs=inputs, outputs=outputs)


def _watched(parts: Parts) -> list[Any]:
    names = ("status", "start_new", "curve", "previews", "seen", "start", "stop", "save_now", "preview_now")
    return [parts[name] for name in names]


def run_updates(parts: Parts, seen: str) -> list[Any]:
    """Updates of everything that shows the run; ``seen`` is the state that the last ones left in the page."""
    now = parts.controller.runs.snapshot()
    version, _, pictures = seen.partition(" ")
    if version == f"{now.version}{now.stopping}":
        return [gr.update()] * len(_watched(parts))
    key = view.previews_key(now)
    return [
        view.status(now, parts.seconds),
        gr.update(visible=now.state == "asking"),
        view.curve(now),
        gr.update() if key == pictures else view.previews(now),
        f"{now.version}{now.stopping} {key}",
        gr.update(interactive=not now.active),
        *(gr.update(interactive=now.active and not now.stopping) for _ in range(3)),
    ]


def on_load(blocks: gr.Blocks, parts: Parts) -> None:
    """A new page shows the current or last run with its settings, and the files that exist by now."""
    form, controller = parts.train, parts.controller

    def load() -> list[Any]:
        settings = dict(controller.runs.snapshot().settings)
        for side in ("width", "height"):
            settings[side] = settings.get(side) or controller.host.models.size
        listed = {"name": controller.embeddings(), "template": controller.templates.names()}
        fields = dict(zip(form.inputs, form.updates(settings), strict=True))
        for name, names in listed.items():
            fields[name] = choices(names, settings.get(name))
        template = settings.get("template") or TrainConfig.template
        lines, _ = attempt(lambda: controller.templates.text(template))
        return [*fields.values(), lines or "", template if lines else "", *run_updates(parts, "")]

    outputs = [*form.components, parts["template_text"], parts["template_loaded"], *_watched(parts)]
    blocks.load(load, inputs=[], outputs=outputs, **QUIET)
