"""Dropdowns of what is on disk, each with a button beside it that lists it again, as in the WebUI."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import gradio as gr

from lib_ti.ui.parts import QUIET, Parts, choices
from lib_ti.ui.widgets.form import Form

REFRESH = "↻"


def layout(parts: Parts, form: Form, setting: str) -> None:
    """Add a setting whose input is a dropdown, and its button."""
    with gr.Row(elem_classes="ti-listed"):
        form.add(setting)
        button(parts, form[setting].elem_id.removeprefix("ti_"))


def button(parts: Parts, name: str) -> None:
    """The button of the dropdown whose id is ``name`` without ``ti_``."""
    parts.button(f"{name}_refresh", REFRESH, elem_classes="ti-refresh", size="sm", scale=0, min_width=40)


def connect(parts: Parts, dropdown: Any, name: str, names: Callable[[], Iterable[str]]) -> None:
    """Have the button list ``names`` again; what is chosen stays chosen."""
    parts[f"{name}_refresh"].click(lambda: choices(names()), inputs=[], outputs=[dropdown], **QUIET)
