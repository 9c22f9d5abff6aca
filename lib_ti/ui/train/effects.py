"""Which settings have no effect beside the others: the page greys them, with the reason in place of their help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from lib_ti.config import TrainConfig, described
from lib_ti.ui.parts import Parts
from lib_ti.ui.train.service import TXT2IMG
from lib_ti.ui.widgets.latest import follow

_DECIDING = ("vector_norm", "weight_decay", "clip", "validate_every")
_GREYED = ("weight_decay", "clip", "clip_value", "validation_split", "restore_best", *TXT2IMG.values())


def without_effect(values: Mapping[str, Any], *, from_txt2img: bool) -> dict[str, str]:
    """Return the settings whose values change nothing, and why. One that the check would refuse stays editable.

    Parameters
    ----------
    from_txt2img
        Whether previews take their parameters from the txt2img tab.
    """
    found = (
        dict.fromkeys(TXT2IMG.values(), "Without effect: read from the txt2img tab when the run starts.")
        if from_txt2img
        else {}
    )
    norm = values["vector_norm"]
    if norm in ("fixed", "direction") and values["weight_decay"] == 0:
        found["weight_decay"] = f"Without effect: Vector norm is {norm}, which lets no vector become shorter."
    if values["clip"] == "disabled":
        found["clip_value"] = "Without effect: Gradient clipping is disabled."
        if norm == "direction":
            found["clip"] = "Without effect: Vector norm is direction, where the size of a gradient does not matter."
    if values["validate_every"] == 0:
        reason = "Without effect: Validate every N steps is 0, so that nothing is validated."
        found |= dict.fromkeys(("validation_split", "restore_best"), reason)
    return found


def connect(parts: Parts) -> None:
    form = parts.train
    deciding = [form[name] for name in _DECIDING] + ([parts["from_txt2img"]] if parts.txt2img else [])
    helps = {name: form[name].info for name in _GREYED}
    _grey_at_first(parts)

    def grey(data: dict[Any, Any]) -> list[Any]:
        values = {name: data[form[name]] for name in _DECIDING}
        taken = bool(parts.txt2img) and bool(data[parts["from_txt2img"]])
        greyed = without_effect(values, from_txt2img=taken)
        return [gr.update(interactive=name not in greyed, info=greyed.get(name, helps[name])) for name in _GREYED]

    for component in deciding:
        follow(component.change, grey, by=deciding, inputs=deciding, outputs=[form[name] for name in _GREYED])


def _grey_at_first(parts: Parts) -> None:
    """Grey what has no effect beside the defaults, and what never has one with this host's models."""
    defaults = {name: default for name, _, default, _ in described(TrainConfig)}
    reasons = {**without_effect(defaults, from_txt2img=False), **parts.controller.host.models.without_effect}
    for name, reason in reasons.items():
        parts.train[name].interactive, parts.train[name].info = False, reason
