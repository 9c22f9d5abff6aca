"""The loss curves of a run and of the embedding's other runs, read from their folders."""

from __future__ import annotations

from collections.abc import Sequence

from lib_ti.training.files.run_folder import RunFolder, find_runs
from lib_ti.training.files.tables import read_losses
from lib_ti.training.images.curve import Curve, LossCurves, ValidationCurve, band
from lib_ti.training.validation.differences import errors
from lib_ti.training.validation.history import Check, read_history, segments
from lib_ti.training.validation.verdict import judge

MOST_OTHERS = 8
"""Other runs in a chart, the newest ones."""


def read_curves(folder: RunFolder) -> LossCurves:
    """Read the curves of a run, and of the embedding's other runs beside it."""
    training = Curve()
    for step, loss in read_losses(folder.losses):
        training.add(step, loss)
    history = read_history(folder.evaluations)
    verdict, parts = judge(history), segments(history)
    noise = band(((check.step, check.loss) for check in parts[-1]), errors(parts[-1])) if parts else ()
    return LossCurves(
        training.points(),
        [_curve(part) for part in parts],
        noise,
        best=(verdict.best_step, verdict.best_loss) if verdict else None,
        done_step=verdict.done_step if verdict else None,
        others=read_others(folder),
    )


def read_others(folder: RunFolder) -> tuple[ValidationCurve, ...]:
    """Read the validation losses of the embedding's other runs in the same log directory, the newest first."""
    runs = [run for run in find_runs(folder.path.parent.parent, folder.name) if run.path != folder.path]
    return tuple(
        _curve(part, f"{run.path.parent.name}/{run.path.name}")
        for run in runs[:MOST_OTHERS]
        for part in segments(read_history(run.evaluations))
    )


def _curve(part: Sequence[Check], title: str = "") -> ValidationCurve:
    curve = Curve()
    for check in part:
        curve.add(check.step, check.loss)
    known = [check.no_keyword for check in part if check.no_keyword]
    return ValidationCurve(curve.points(), known[-1] if known else None, title)
