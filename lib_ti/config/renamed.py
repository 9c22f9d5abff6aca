"""Settings that had another name in earlier versions, whose files and command lines are still read."""

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


def with_present_names(kind: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by the present names of their settings; a value under the present name wins."""
    renamed = RENAMED.get(kind.__name__, {})
    present = {name: value for name, value in values.items() if name not in renamed}
    former = {renamed[name]: value for name, value in values.items() if name in renamed}
    return {**former, **present}
