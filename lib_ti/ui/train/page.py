"""Layout of the sub-tab Train."""

from __future__ import annotations

import gradio as gr

from lib_ti.config import NO_PRESET, PRESETS, TrainConfig
from lib_ti.ui.parts import Parts
from lib_ti.ui.train import check_box, template_fields, view
from lib_ti.ui.widgets import listed
from lib_ti.ui.widgets.form import Form, dropdown, image_side, radio

ESSENTIAL = (("learning_rate", "max_steps"), ("width", "height", "batch_size"))
SAVING = ("save_image_every", "save_embedding_every", "png_chunks")
PREVIEWS = (
    ("preview_prompt",),
    ("preview_negative",),
    ("preview_sampler", "preview_scheduler"),
    ("preview_steps", "preview_cfg"),
    ("preview_width", "preview_height"),
    ("preview_seed",),
)
GROUPS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    (
        "Images and prompts",
        (
            ("subfolders",),
            ("resize",),
            ("shuffle_tags", "tag_dropout"),
            ("latent_sampling",),
            ("use_alpha", "cache_latents"),
        ),
    ),
    (
        "Learning",
        (
            ("gradient_accumulation", "warmup_steps"),
            ("learning_rate_decay", "vector_norm"),
            ("weight_decay", "scale_per_encoder"),
            ("normalize_gradients", "nested_dropout"),
            ("clip", "clip_value"),
            ("validate_every", "validation_split"),
            ("stop_when_done", "restore_best"),
            ("seed",),
        ),
    ),
    ("Model, memory and folders", (("precision",), ("gradient_checkpointing",), ("optimization",), ("log_directory",))),
)
"""Accordions, and the rows of settings in each."""


def layout(parts: Parts) -> None:
    form = parts.train = Form(
        TrainConfig,
        "ti_train",
        defaults=parts.defaults,
        overrides={
            "name": dropdown(),
            "preset": radio({NO_PRESET: "None", **{name: preset.label for name, preset in PRESETS.items()}}),
            "template": dropdown(default=TrainConfig.template),
            "width": image_side("In pixels, filled in from the model."),
            "height": image_side("In pixels, filled in from the model."),
            "preview_sampler": dropdown(parts.samplers, TrainConfig.preview_sampler),
            "preview_scheduler": dropdown(parts.schedulers, TrainConfig.preview_scheduler),
        },
    )
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=1, min_width=320, elem_classes="ti-dense"):
            form.add("preset")
            parts.keep("preset_filled", form.filled("preset"))
            with gr.Row(elem_classes="ti-listed"):
                form.add("name")
                listed.button(parts, "train_name")
                parts.button("train_name_new", "+ New", elem_classes="ti-new", size="sm", scale=0, min_width=80)
            form.add("dataset")
            parts.html("train_images")
            parts.html("train_dataset_hint")
            template_fields.layout(parts)
            _essentials(form)
            _saving(parts)
            for title, rows in GROUPS:
                with gr.Accordion(title, open=False):
                    _rows(form, rows)
            if rest := form.missing():
                with gr.Accordion("More settings", open=False):
                    form.add(*rest)
        with gr.Column(scale=1, min_width=320):
            _run(parts)


def _essentials(form: Form) -> None:
    _rows(form, ESSENTIAL)


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
    with gr.Row(elem_classes="ti-buttons ti-main-buttons"):
        parts.button("check", "Check")
        parts.button("start", "Train Embedding", variant="primary")
        parts.button("stop", "Interrupt", variant="stop", interactive=False)
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("save_now", "Save now", interactive=False, size="sm")
        parts.button("preview_now", "Preview now", interactive=False, size="sm")
        parts.button("refresh", "Refresh", size="sm")
        parts.keep("train_help", gr.Checkbox(False, label="Show help", elem_id="ti_train_help", scale=0, min_width=120))
    check_box.layout(parts)
    now = parts.controller.runs.snapshot()
    parts.html("status", view.status(now, parts.seconds))
    parts.button("start_new", "Train on the new images", visible=now.state == "asking")
    parts.html("curve")
    parts.html("previews")
    parts.keep("seen", gr.State(""))
    parts.keep("own_size", gr.State(0))  # what width and height were filled in with from the model, 0 if they were not
