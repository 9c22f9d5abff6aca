"""The validation checks of a run, as ``evaluation.csv`` has them; every verdict is computed from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lib_ti.training.files.tables import read_table

COLUMNS = (
    *("step", "loss", "norm", "best_step", "images", "data", "sample_losses"),
    *("training_sample_losses", "no_keyword_loss", "due"),
)
"""Files of the first versions have only the first three, those of version 0.1 the first seven. One version also had the
losses of training images beside those of validation images."""
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
    due: bool = True
    """Whether its step was due, rather than the last one of a session that ended in between."""
    no_keyword: float | None = None
    """Mean loss of the same samples where the prompts are without the embedding; None in files of earlier versions."""


def new_check(
    step: int,
    samples: Sequence[float],
    *,
    norm: float,
    data: str,
    unseen: bool,
    no_keyword: float | None = None,
) -> Check:
    """Return a check that was due, from the losses of its samples."""
    return Check(
        step=step,
        loss=rounded(sum(samples) / len(samples)),
        norm=rounded(norm),
        samples=tuple(map(rounded, samples)),
        data=data,
        unseen=unseen,
        no_keyword=None if no_keyword is None else rounded(no_keyword),
    )


def row(check: Check, best_step: int | None) -> tuple[object, ...]:
    """Return a check as a row of :data:`COLUMNS`; ``best_step`` is the best one so far."""
    images = VALIDATION if check.unseen else TRAINING
    best = "" if best_step is None else best_step
    no_keyword = "" if check.no_keyword is None else f"{check.no_keyword:.7g}"
    return (
        *(check.step, f"{check.loss:.7g}", f"{check.norm:.7g}", best, images, check.data, _text(check.samples)),
        *("", no_keyword, int(check.due)),
    )


def read_history(path: Path) -> tuple[Check, ...]:
    """Read all checks of an ``evaluation.csv``, also of earlier versions; empty where there is none."""
    return tuple(
        Check(
            step=int(row["step"]),
            loss=float(row["loss"]),
            norm=float(row["norm"]),
            samples=_numbers(row.get("sample_losses")),
            data=row.get("data") or "",
            unseen=row.get("images") == VALIDATION,
            no_keyword=float(row["no_keyword_loss"]) if row.get("no_keyword_loss") else None,
            due=row.get("due") != "0",
        )
        for row in read_table(path)
    )


def segments(history: Sequence[Check]) -> list[tuple[Check, ...]]:
    """Split the history where data, template or validation settings were changed; the last part is the current one."""
    return [tuple(part) for _, part in groupby(history, key=lambda check: check.data)]


def rounded(value: float) -> float:
    """Return a number as the file keeps it."""
    return float(f"{value:.7g}")


def _text(samples: Sequence[float]) -> str:
    return " ".join(f"{loss:.7g}" for loss in samples)


def _numbers(text: str | None) -> tuple[float, ...]:
    return tuple(map(float, (text or "").split()))
