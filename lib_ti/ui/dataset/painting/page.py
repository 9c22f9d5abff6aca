"""Layout that the steps Remove and Masks share: an image to choose, its painting, and the controls beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from lib_ti.ui.dataset.painting.view import KEYS
from lib_ti.ui.html.fragments import empty_state, hint, keys
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets import listed, upload_field


@dataclass(frozen=True)
class PaintingStep:
    """The texts and controls in which the two steps differ.

    Attributes
    ----------
    about
        How the step is used.
    nothing
        What it is for, and what to do, while there is no image to paint on.
    go
        Label of the button that leads there.
    white
        What is done to the white area of a mask file: ``remove``.
    buttons, settings
        Add the step's own buttons, and its settings below the message.
    above, below
        Add what is shown above the choice of the image, and below the image.
    """

    about: str
    nothing: tuple[str, str]
    go: str
    white: str
    buttons: Callable[[], None]
    settings: Callable[[], None] = lambda: None
    above: Callable[[], None] = lambda: None
    below: Callable[[], None] = lambda: None


def layout(parts: Parts, name: str, step: PaintingStep) -> None:
    """Lay a step out; its components are named after it."""
    with gr.Column(elem_id=f"ti_{name}_empty", elem_classes="ti-empty") as empty:
        parts.html(f"{name}_nothing", empty_state(*step.nothing))
        parts.button(f"{name}_go", step.go, variant="primary")
    parts.keep(f"{name}_empty", empty)
    parts.html(f"{name}_problem")
    with gr.Column(visible=False, elem_id=f"ti_{name}_work") as work:
        step.above()
        _picker(parts, name)
        with gr.Row(elem_classes="ti-columns"):
            with gr.Column(scale=3, min_width=320):
                parts.html(f"{name}_stage")
                step.below()
            with gr.Column(scale=1, min_width=280):
                parts.html(f"{name}_about", hint(step.about))
                step.buttons()
                parts.html(f"{name}_message")
                step.settings()
                label = f"Image of the same aspect ratio, white in the area to {step.white}"
                with gr.Accordion("Load a mask from a file", open=False):
                    upload_field.layout(parts, f"{name}_file", label, multiple=False)
                parts.html(f"{name}_keys", keys(KEYS))
    parts.keep(f"{name}_work", work)
    hidden(parts, f"{name}_mask")  # the painted layer, from the page's script and to it
    hidden(parts, f"{name}_goto")  # filled by a click on a thumbnail: the time and a name
    parts.keep(f"{name}_listed", gr.State(""))
    parts.keep(f"{name}_open", gr.State(""))


def hidden(parts: Parts, name: str) -> None:
    """Add a field between the page's script and the server."""
    parts.keep(name, gr.Textbox("", show_label=False, elem_id=f"ti_{name}", elem_classes="ti-hidden"))


def _picker(parts: Parts, name: str) -> None:
    with gr.Row(elem_classes="ti-listed ti-choice"):
        parts.button(f"{name}_previous", "‹ Previous", size="sm", scale=0, min_width=90)
        parts.keep(
            f"{name}_image",
            gr.Dropdown([], label="Image", allow_custom_value=True, elem_id=f"ti_{name}_image", scale=4),
        )
        parts.button(f"{name}_next", "Next ›", size="sm", scale=0, min_width=90)
        listed.button(parts, name)
    parts.html(f"{name}_row")
