"""Width and height that are filled in from the model, and follow it to another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_ti.ui.event_options import QUIET


def connect(opened: Any, sides: tuple[Any, Any], filled: Any, size: Callable[[], int]) -> None:
    """Fill in the size of the model that is loaded by now when a tab is opened, unless another size was typed.

    Parameters
    ----------
    opened
        The tab.
    filled
        A state with the size that was filled in last; 0 where the sides are of another origin.
    """

    def follow_model(data: dict[Any, Any]) -> list[Any]:
        own = size()
        if data[filled] == own or any(data[side] != data[filled] for side in sides):
            return [gr.update()] * 3
        return [own] * 3

    opened.select(follow_model, inputs={*sides, filled}, outputs=[*sides, filled], **QUIET)
