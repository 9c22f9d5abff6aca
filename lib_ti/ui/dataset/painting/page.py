"""Layout that the steps Remove and Masks share: an image to choose, its painting, and the controls beside it."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts


def layout(parts: Parts, step: str, *, images: str, about: str, white: str, controls: Callable[[], None]) -> None:
    """Lay a step out; its components are named after it.

    Parameters
    ----------
    images
        Help that says which images can be chosen.
    about
        How the step is used.
    white
        What is done to the white area of a mask file: ``remove``.
    controls
        Adds the step's own controls.
    """
    _picker(parts, step, images)
    with gr.Row(elem_classes="ti-columns"):
        with gr.Column(scale=3, min_width=320):
            parts.html(f"{step}_stage")
        with gr.Column(scale=1, min_width=320):
            parts.html(f"{step}_about", hint(about))
            controls()
            label = f"Image of the same aspect ratio, white in the area to {white}"
            with gr.Accordion("Load a mask from a file", open=False):
                parts.keep(f"{step}_file", gr.File(label=label, elem_id=f"ti_{step}_file"))
    # The painted layer, from the page's script and to it.
    _hidden(parts, f"{step}_mask")


def _picker(parts: Parts, step: str, images: str) -> None:
    with gr.Row(elem_classes="ti-line ti-choice"):
        parts.button(f"{step}_previous", "‹ Previous", scale=1)
        parts.keep(
            f"{step}_image",
            gr.Dropdown([], label="Image", info=images, allow_custom_value=True, elem_id=f"ti_{step}_image", scale=4),
        )
        parts.button(f"{step}_next", "Next ›", scale=1)
        parts.button(f"{step}_list", "Refresh list", scale=1)
    parts.html(f"{step}_row")
    # Filled by a click on a thumbnail.
    _hidden(parts, f"{step}_goto")
    parts.keep(f"{step}_listed", gr.State(""))
    parts.keep(f"{step}_open", gr.State(""))


def _hidden(parts: Parts, name: str) -> None:
    parts.keep(name, gr.Textbox("", show_label=False, elem_id=f"ti_{name}", elem_classes="ti-hidden"))
