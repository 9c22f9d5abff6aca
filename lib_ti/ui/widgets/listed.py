"""Dropdowns of files on disk, each with a button that reloads the list, as in the WebUI."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import gradio as gr

from lib_ti.ui.event_options import QUIET
from lib_ti.ui.parts import Parts, choices
from lib_ti.ui.widgets.form import Form

REFRESH = "🔄"


def layout(parts: Parts, form: Form, setting: str) -> None:
    """Add a setting whose input is a dropdown, and its reload button."""
    with gr.Row(elem_classes="ti-listed"):
        form.add(setting)
        button(parts, form[setting].elem_id.removeprefix("ti_"))


def button(parts: Parts, name: str) -> None:
    """Add the reload button of the dropdown whose elem_id is ``ti_<name>``."""
    parts.button(f"{name}_refresh", REFRESH, elem_classes="ti-refresh", size="sm", scale=0, min_width=40)


def connect(parts: Parts, dropdown: Any, name: str, names: Callable[[], Iterable[str]]) -> None:
    """Connect the button: it reloads ``names`` and keeps the selection."""
    parts[f"{name}_refresh"].click(lambda: choices(names()), inputs=[], outputs=[dropdown], **QUIET)
