"""Layout of the chosen step: its images on one side, its checkpoint and the buttons on the other."""

from __future__ import annotations

import gradio as gr

from lib_ti.ui.parts import Parts

DOWNLOADS = {
    "download_safetensors": (".safetensors", "Download .safetensors"),
    "download_pt": (".pt", "Download .pt"),
    "download_card": (".png", "Download PNG card"),
}
"""Buttons, the suffix of the file that each makes, and their texts."""


def layout_images(parts: Parts) -> None:
    parts.keep("results_step", gr.Slider(0, 1, value=0, step=1, label="Step", elem_id="ti_results_step"))
    parts.html("results_preview")
    parts.html("results_strip")
    # What is pressed in the strip or the curve, from the page's script, and what the page shows as chosen, and of which
    # run: in the page and no gr.State, since it must be as old as the other values of an event. Not invisible, since
    # then they could not change.
    for name in ("results_pick", "results_chosen", "results_of"):
        parts.keep(name, gr.Textbox("", show_label=False, elem_id=f"ti_{name}", elem_classes="ti-hidden"))


def layout_buttons(parts: Parts) -> None:
    parts.keep(
        "checkpoint",
        gr.Dropdown(
            [],
            label="Checkpoint",
            info="The embedding at that step; “best” has the lowest validation loss.",
            allow_custom_value=True,
            elem_id="ti_checkpoint",
        ),
    )
    parts.html("checkpoint_chosen")
    with gr.Row(elem_classes="ti-buttons"):
        parts.button("restore_checkpoint", "Restore this checkpoint", variant="primary")
        parts.button("undo_restore", "Undo", visible=False)
        parts.button("train_more", "Train more")
        if "prompt" in parts.txt2img:
            parts.button("send_txt2img", "Send to txt2img")
    parts.html("checkpoint_message")
    with gr.Row(elem_classes="ti-buttons ti-downloads"):
        for name, (_, text) in DOWNLOADS.items():
            parts.button(name, text, size="sm")
        parts.button("download_images", "Download images", size="sm")
    parts.html("download")
