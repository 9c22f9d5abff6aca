"""Layout of the step Prepare."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.parts import Parts

_ROWS = (("shape", "framing"), ("upscaler", "downscale"), ("name", "name_pattern"))
_FLIP = (("flip", "flip_words"),)
_SPLIT = (("split",), ("split_threshold", "split_overlap"))
_MORE = (("name_captions", "workers"),)


def layout(parts: Parts) -> None:
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=1, min_width=320):
            _rows(parts, _ROWS)
            with gr.Accordion("Flipped copies, splitting", open=False):
                _rows(parts, (*_FLIP, *_SPLIT))
            with gr.Accordion("More", open=False):
                _rows(parts, _MORE)
        with gr.Column(scale=1, min_width=320):
            with gr.Row(elem_classes="ti-buttons"):
                parts.button("prepare_plan", "Dry run")
                parts.button("prepare_run", "Prepare", variant="primary")
            parts.html("prepare_message")
            with gr.Row(elem_classes="ti-buttons"):
                parts.button("prepare_use", "Use for training")
                parts.button("prepare_zip", "Download as zip", size="sm")
            parts.box("prepare_used", answered_by="prepare_message")
            parts.keep(
                "prepare_download",
                gr.File(label="Download", visible=False, interactive=False, elem_id="ti_prepare_download"),
            )


def _rows(parts: Parts, rows: tuple[tuple[str, ...], ...]) -> None:
    for row in rows:
        with gr.Row():
            parts.prepare.add(*row)
