"""The kinds of background tasks; which lane each has decides what may run side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Lane = Literal["model", "dataset"]
"""See :mod:`lib_ti.background.tasks`."""


@dataclass(frozen=True)
class TaskKind:
    """A kind of task: its lane, and the words of messages about it."""

    name: str
    lane: Lane
    how_to_stop: str
    unit: str = ""
    """What its progress counts, before the numbers: ``"step"``."""
    may_wait: bool = False
    """Whether a task of this kind waits for one of another kind in its lane, instead of being refused."""


RUN = TaskKind("run", "model", "press Interrupt in the Train tab", unit="step", may_wait=True)
MAKE_IT = TaskKind("make", "model", "press Interrupt in the Start tab")
CONTACT_SHEET = TaskKind("sheet", "model", "press Stop in the Results tab")
VECTORS = TaskKind("vectors", "model", "press Stop in the Results tab")
COMPARISON = TaskKind("comparison", "model", "press Stop in the Results tab")
SUGGESTION = TaskKind("suggestion", "model", "press Stop in the Create tab")

_STOP = "press Stop in the Dataset tab"
INSPECTION = TaskKind("inspection", "dataset", _STOP)
CROPPING = TaskKind("cropping", "dataset", _STOP)
REMOVAL = TaskKind("removal", "dataset", _STOP)
FILLS = TaskKind("fills", "dataset", _STOP)
TEXT_REMOVAL = TaskKind("text_removal", "dataset", _STOP)
REVIEW = TaskKind("review", "dataset", _STOP)
PREPARATION = TaskKind("preparation", "dataset", _STOP)
ZIP = TaskKind("zip", "dataset", _STOP)
CAPTIONING = TaskKind("captioning", "dataset", _STOP)
