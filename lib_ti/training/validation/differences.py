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
    """Return the standard error of the difference between two measurements of the same samples.

    Differences are relative to each sample's loss: some timesteps have losses several times as large as the rest, and
    would hide a difference that nearly all samples share.
    """
    return _relative_difference(one, other)[1] * statistics.fmean(other)


def change(now: Samples, first: Samples) -> float:
    """Return how far samples are from what they were at first: the mean logarithm of their ratios, negative where less.

    So each sample counts alike, whatever its timestep.
    """
    return _relative_difference(now, first)[0]


def is_above(higher: Samples, lower: Samples, errors: float) -> bool:
    """Return whether one loss is above another by so many standard errors of their difference."""
    if statistics.fmean(higher) <= statistics.fmean(lower):
        return False
    difference, error = _relative_difference(higher, lower)
    return difference > 0 and difference >= errors * error


def _relative_difference(one: Samples, other: Samples) -> tuple[float, float]:
    """Return the mean logarithm of the ratio of two measurements, and its standard error."""
    paired = len(one) == len(other) > 1 and min(*one, *other) > 0
    if not paired:
        return (statistics.fmean(one) - statistics.fmean(other)) / (statistics.fmean(other) or 1.0), NOISE
    ratios = [math.log(first / second) for first, second in zip(one, other, strict=True)]
    return statistics.fmean(ratios), statistics.stdev(ratios) / math.sqrt(len(ratios))


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
