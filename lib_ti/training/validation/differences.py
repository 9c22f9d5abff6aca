"""Paired differences between checks: the samples are the same each time, so most of their noise cancels out."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from lib_ti.training.validation.history import Check

NOISE = 0.01
"""Standard error as a share of the loss, where a file of an earlier version has no losses of single samples."""
Samples = Sequence[float]


def standard_error(one: Samples, other: Samples) -> float:
    """Return the standard error of the mean difference between two measurements of the same samples."""
    if len(one) != len(other) or len(one) < 2:
        return NOISE * statistics.fmean(other)
    differences = [first - second for first, second in zip(one, other, strict=True)]
    return statistics.stdev(differences) / math.sqrt(len(differences))


def is_above(higher: Samples, lower: Samples, errors: float) -> bool:
    """Return whether one loss is above another by so many standard errors of their paired difference."""
    difference = statistics.fmean(higher) - statistics.fmean(lower)
    return difference > 0 and difference >= errors * standard_error(higher, lower)


def mean(measurements: Sequence[Samples]) -> Samples:
    """Return the mean of several measurements, sample by sample; of their means where their numbers differ."""
    if len({len(samples) for samples in measurements}) > 1:
        return (statistics.fmean(map(statistics.fmean, measurements)),)
    return tuple(map(statistics.fmean, zip(*measurements, strict=True)))


def errors(checks: Sequence[Check]) -> dict[int, float]:
    """Return by step the standard error of each check's difference from the best one before it; 0 for the first.

    Checks without a finite loss are left out.
    """
    found: dict[int, float] = {}
    best: Check | None = None
    for check in checks:
        if math.isfinite(check.loss):
            found[check.step] = error_from(best, check)
            best = check if best is None or check.loss < best.loss else best
    return found


def error_from(best: Check | None, check: Check) -> float:
    """Return the standard error of a check's difference from the best one before it; 0 without one."""
    if best is None:
        return 0.0
    return standard_error(check.samples or (check.loss,), best.samples or (best.loss,))
