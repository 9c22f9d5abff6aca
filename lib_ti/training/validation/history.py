"""The validation checks of a run, as ``evaluation.csv`` has them; every verdict is computed from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lib_ti.training.files.tables import read_table

COLUMNS = ("step", "loss", "norm", "best_step", "images", "data", "sample_losses")
"""Files of the first versions have only the first three."""
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
    """Identifies images, captions and settings of the check: only checks with equal data can be compared."""
    unseen: bool = False
    """Whether it was computed on validation images rather than training images."""


def new_check(step: int, samples: Sequence[float], *, norm: float, data: str, unseen: bool) -> Check:
    """Return a check from the losses of its samples."""
    kept = tuple(_rounded(loss) for loss in samples)
    return Check(step, _rounded(sum(samples) / len(samples)), _rounded(norm), kept, data, unseen)


def row(check: Check, best_step: int | None) -> tuple[object, ...]:
    """Return a check as a row of :data:`COLUMNS`; ``best_step`` is the best one so far."""
    samples = " ".join(f"{loss:.7g}" for loss in check.samples)
    images = VALIDATION if check.unseen else TRAINING
    best = "" if best_step is None else best_step
    return (check.step, f"{check.loss:.7g}", f"{check.norm:.7g}", best, images, check.data, samples)


def read_history(path: Path) -> tuple[Check, ...]:
    """Read all checks of an ``evaluation.csv``, also of earlier versions; empty where there is none."""
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
    """Split the history where data, template or validation settings were changed; the last part is the current one."""
    return [tuple(part) for _, part in groupby(history, key=lambda check: check.data)]


def _rounded(value: float) -> float:
    return float(f"{value:.7g}")
