"""The way from prepared images to a run: by way of Create where no embedding is chosen yet, and then on to Train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from lib_ti.ui.html.fragments import hint
from lib_ti.ui.parts import Parts

_WHAT = "The Train tab uses {}. Create the embedding to train on them, or choose one in the Train tab."


def layout(parts: Parts) -> None:
    """Add what Create says to somebody who comes from images; the state says whether somebody does."""
    parts.html("create_for")
    parts.keep("create_onward", gr.State(False))


def outputs(parts: Parts) -> list[Any]:
    """Return the components that :func:`updates` updates."""
    return [parts.tabs, parts["create_for"], parts["create_onward"]]


def updates(parts: Parts, data: Mapping[Any, Any], images: str) -> list[Any]:
    """Open the Train tab, which now uses ``images``; where no embedding is chosen there, Create first."""
    chosen = bool(data[parts.train["name"]])
    tab = gr.update(selected="train" if chosen else "create")
    return [tab, "" if chosen else hint(_WHAT.format(images)), not chosen]
