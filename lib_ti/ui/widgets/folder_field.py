"""Fields for the path of a folder, each with the button 📂 that opens the folder browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

SIGN = "📂"
"""As on the WebUI's buttons that open a folder."""


@dataclass(frozen=True)
class FolderField:
    """A text field and its button; ``may_be_new`` where the folder need not exist yet."""

    field: Any
    button: Any
    may_be_new: bool = False

    @property
    def name(self) -> str:
        return str(self.field.elem_id)

    @property
    def label(self) -> str:
        return str(self.field.label)


def beside(field: Any, *, may_be_new: bool = False) -> FolderField:
    """Add the button beside a text field, in the row that the field is in; the row has the class ``ti-listed``."""
    button = gr.Button(
        SIGN, elem_id=f"{field.elem_id}_browse", elem_classes="ti-browse", size="sm", scale=0, min_width=40
    )
    return FolderField(field, button, may_be_new)
