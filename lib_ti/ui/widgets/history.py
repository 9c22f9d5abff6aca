"""Undo and Redo buttons that say what they do."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.ui.html.fragments import shortened


def labelled(word: str, label: str) -> Any:
    """Update a button: “Undo: exclude 3 images”, or “Undo” and disabled where there is nothing to undo."""
    return gr.update(value=f"{word}: {shortened(label)}" if label else word, interactive=bool(label))
