"""The checks of a run, as ``evaluation.csv`` has them: what a verdict is made from, during the run and afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lib_ti.training.files.tables import read_table

COLUMNS = ("step", "loss", "norm", "best_step", "images", "data", "sample_losses")
"""The first three are those of earlier versions, whose files have no others."""
VALIDATION, TRAINING = "validation", "training"


@dataclass(frozen=True)
class Check:
    """The validation loss after ``step`` steps.

    Numbers are rounded to what the file keeps, so that a verdict is the same from memory and from disk.
    """

    step: int
    loss: float
    """Mean of ``samples``."""
    norm: float
    """Mean length of the vectors, in units of an ordinary word's."""
    samples: tuple[float, ...] = ()
    """Loss of each sample, the same samples at every check; empty in files of earlier versions."""
    data: str = ""
    """Names what was measured on: only checks with the same mark can be compared."""
    unseen: bool = False
    """Whether it was measured on validation images and not on training images."""


def measured(step: int, samples: Sequence[float], *, norm: float, data: str, unseen: bool) -> Check:
    """The check of one measurement."""
    kept = tuple(_rounded(loss) for loss in samples)
    return Check(step, _rounded(sum(samples) / len(samples)), _rounded(norm), kept, data, unseen)


def row(check: Check, best_step: int | None) -> tuple[object, ...]:
    """A check as a row of :data:`COLUMNS`; ``best_step`` is the best one known by then."""
    samples = " ".join(f"{loss:.7g}" for loss in check.samples)
    images = VALIDATION if check.unseen else TRAINING
    best = "" if best_step is None else best_step
    return (check.step, f"{check.loss:.7g}", f"{check.norm:.7g}", best, images, check.data, samples)


def read_history(path: Path) -> tuple[Check, ...]:
    """All checks of an ``evaluation.csv``, also of one that an earlier version wrote; empty where there is none."""
    return tuple(
        Check(
            step=int(row["step"]),
            loss=float(row["loss"]),
            norm=float(row["norm"]),
            samples=tuple(map(float, (row.get("sample_losses") or "").split())),
            data=row.get("data") or "",
            unseen=row.get("images") == VALIDATION,
        )
        for row in read_table(path)
    )


def segments(history: Sequence[Check]) -> list[tuple[Check, ...]]:
    """The history cut where the data, the template or the validation settings were changed; the last is the current."""
    return [tuple(part) for _, part in groupby(history, key=lambda check: check.data)]


def _rounded(value: float) -> float:
    return float(f"{value:.7g}")
