"""Settings that had another name or other values in earlier versions, whose files and command lines are still read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RENAMED: Mapping[str, Mapping[str, str]] = {
    "TrainConfig": {
        "embedding_rate": "learning_rate",
        "rate_decay": "learning_rate_decay",
        "held_out": "validation_split",
        "evaluate_every": "validate_every",
    },
    "PrepareConfig": {"reduce": "downscale"},
    "InspectConfig": {"shaken": "motion_blur", "grainy": "noise", "lettering": "text"},
}
"""By configuration: the present name of each former one."""

FORMER_FLAGS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "TrainConfig": {"gradient_checkpointing": ("off", "all-blocks")},
}
"""By configuration: settings that were on or off, and the present values for that, off first."""
FLAGS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
"""Texts that stand for on and off."""


def with_present_names(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return present values by the present names of their settings; a value under the present name wins."""
    renamed = RENAMED.get(kind.__name__, {})
    present = {name: value for name, value in values.items() if name not in renamed}
    former = {renamed[name]: value for name, value in values.items() if name in renamed}
    named = {**former, **present}
    flags = FORMER_FLAGS.get(kind.__name__, {})
    return {name: _present_value(value, flags[name]) if name in flags else value for name, value in named.items()}


def _present_value(value: Any, present: tuple[str, str]) -> Any:
    flag = FLAGS.get(str(value).strip().lower()) if isinstance(value, bool | str) else None
    return value if flag is None else present[flag]
