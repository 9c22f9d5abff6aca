"""The verdict on a run: which step is best, whether anything was gained, whether it is overtraining.

The only place that decides these; tab, Results, plot, tables, command line and the checkpoint "best" follow it. The
thresholds were measured on 30 runs of a small model: one standard error of a paired difference is about 1 % of the loss
at 16 samples, and the rule for overtraining was false for 3 % of healthy runs, while "no new best in five checks"
was false for 93 % of them.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from lib_ti.training.validation.history import Check, segments

WINDOW = 5
"""Checks that are averaged before a rise of the loss is believed."""
LOST = 0.1
"""Share of the total gain that must be lost before a run counts as overtraining."""
GAINED_ERRORS = 2.0
"""Standard errors by which the best check must be below the first one to count as a gain."""
NOISE = 0.01
"""Standard error as a share of the loss, where a file of an earlier version has no losses of single samples."""


@dataclass(frozen=True)
class Verdict:
    """What follows from the checks on the current data."""

    best_step: int
    best_loss: float
    first_step: int
    first_loss: float
    checks: int
    gained: bool | None
    """Whether the best loss is significantly below the first one; None after a single check."""
    overtraining: str = ""
    """A sentence when the validation loss has risen significantly again, else empty."""
    no_gain: str = ""
    """A sentence with advice when nothing was gained so far, else empty; meant for the end of a run."""


def judge(history: Sequence[Check]) -> Verdict | None:
    """Judge the checks that can be compared with the last one; None while there is none with a finite loss.

    Best is the lowest loss, the earliest of equal ones: margins do not find a better step, and a step that is called
    best while a later one was lower is hard to believe.
    """
    current = segments(history)[-1] if history else ()
    checks = [check for check in current if math.isfinite(check.loss)]
    if not checks:
        return None
    first, best = checks[0], min(checks, key=lambda check: check.loss)
    gained = None if len(current) == 1 else _is_above(first, best, GAINED_ERRORS)
    return Verdict(
        best_step=best.step,
        best_loss=best.loss,
        first_step=first.step,
        first_loss=first.loss,
        checks=len(current),
        gained=gained,
        overtraining=_overtraining(checks, best) if gained and best.unseen else "",
        no_gain=_no_gain(first, best, current[-1]) if gained is False else "",
    )


def _overtraining(checks: Sequence[Check], best: Check) -> str:
    """Return a sentence about a lasting rise of the mean over :data:`WINDOW` checks; empty without one."""
    ends = range(WINDOW, len(checks) + 1)
    if not ends or not checks[-1].samples:
        return ""
    lowest_end = min(ends, key=lambda end: sum(check.loss for check in checks[end - WINDOW : end]))
    lowest, last = (_mean(checks[end - WINDOW : end]) for end in (lowest_end, len(checks)))
    if last.loss - lowest.loss < LOST * (checks[0].loss - lowest.loss) or not _is_above(last, lowest, 1.0):
        return ""
    return (
        f"The validation loss has risen since step {best.step}: {last.loss:.4f} on average in the last {WINDOW} "
        f"checks, {lowest.loss:.4f} around its best. The embedding may be overtraining; compare the previews, and use "
        f"the checkpoint “best” (step {best.step}) if the later ones look worse."
    )


def _no_gain(first: Check, best: Check, last: Check) -> str:
    said = f"Nothing was gained: the validation loss was {first.loss:.4f} at step {first.step}"
    if not math.isfinite(last.loss) or _is_above(last, first, GAINED_ERRORS):
        reached = f"{last.loss:.4f}" if math.isfinite(last.loss) else "undefined"
        return f"{said} and {reached} at step {last.step}. Lower the Embedding learning rate and start a new run."
    lowest = "not lower at any later check"
    if best is not first:
        lowest = f"{best.loss:.4f} at its lowest, a random difference"
    return (
        f"{said}, and {lowest}. Train for more steps, raise the Embedding learning rate, or create the embedding with "
        "another initialization text or more vectors."
    )


def _is_above(higher: Check, lower: Check, errors: float) -> bool:
    """Return whether one loss is above another by that many standard errors of their paired difference."""
    difference = higher.loss - lower.loss
    if len(higher.samples) != len(lower.samples) or len(higher.samples) < 2:
        return difference > 0 and difference >= errors * NOISE * lower.loss
    pairs = [high - low for high, low in zip(higher.samples, lower.samples, strict=True)]
    return difference > 0 and difference >= errors * statistics.stdev(pairs) / math.sqrt(len(pairs))


def _mean(checks: Sequence[Check]) -> Check:
    """Return the mean of several checks, sample by sample; without samples where their numbers differ."""
    alike = len({len(check.samples) for check in checks}) == 1
    samples = tuple(map(statistics.fmean, zip(*(check.samples for check in checks), strict=True))) if alike else ()
    return Check(checks[-1].step, statistics.fmean(check.loss for check in checks), checks[-1].norm, samples)
