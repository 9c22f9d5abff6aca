"""Message boxes: each stands at its button, and the next press replaces its message.

An error also disappears when another button fixes it: :meth:`lib_ti.ui.parts.Parts.box` names that button's box.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_ti.ui.html.fragments import holds_error
from lib_ti.ui.parts import QUIET, Parts


def connect(parts: Parts) -> None:
    for name, by in parts.answered_by.items():
        _connect(parts[name], parts[by])


def _connect(box: Any, by: Any) -> None:
    def answer(data: dict[Any, Any]) -> Any:
        success = bool(data[by]) and not holds_error(data[by])
        return "" if success and holds_error(data[box] or "") else gr.update()

    by.change(answer, inputs={box, by}, outputs=[box], **QUIET)
