"""Which settings have no effect beside the others, and are greyed on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from lib_ti.ui.parts import Parts
from lib_ti.ui.train.service import TXT2IMG
from lib_ti.ui.widgets.latest import follow

_DECIDING = ("vector_norm", "weight_decay", "clip", "validate_every")
_GREYED = ("weight_decay", "clip", "clip_value", "validation_split", "restore_best", *TXT2IMG.values())


def without_effect(values: Mapping[str, Any], *, from_txt2img: bool) -> set[str]:
    """Return the settings whose values change nothing. One that the check would refuse stays editable.

    Parameters
    ----------
    from_txt2img
        Whether previews take their parameters from the txt2img tab.
    """
    found: set[str] = set(TXT2IMG.values()) if from_txt2img else set()
    if values["vector_norm"] in ("fixed", "direction") and values["weight_decay"] == 0:
        found.add("weight_decay")
    if values["clip"] == "disabled":
        found |= {"clip_value", "clip"} if values["vector_norm"] == "direction" else {"clip_value"}
    if values["validate_every"] == 0:
        found |= {"validation_split", "restore_best"}
    return found


def connect(parts: Parts) -> None:
    form = parts.train
    deciding = [form[name] for name in _DECIDING] + ([parts["from_txt2img"]] if parts.txt2img else [])

    def grey(data: dict[Any, Any]) -> list[Any]:
        values = {name: data[form[name]] for name in _DECIDING}
        taken = bool(parts.txt2img) and bool(data[parts["from_txt2img"]])
        greyed = without_effect(values, from_txt2img=taken)
        return [gr.update(interactive=name not in greyed) for name in _GREYED]

    for component in deciding:
        follow(component.change, grey, by=deciding, inputs=deciding, outputs=[form[name] for name in _GREYED])
