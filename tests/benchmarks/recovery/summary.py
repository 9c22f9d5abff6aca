"""Sums up the records of a row: means, shares, and ratios to the WebUI's way with 95 % intervals.

Intervals are bootstrapped over the runs, or over pairs of runs with the same concept, images and seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.recovery.records import Record

GOAL = 0.8
LATE = 1.5
"""A run that never got to the goal counts with so many times its length; that of the WebUI's way with its length."""
RESAMPLES = 10_000


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def gap_at(record: Record, step: int) -> float | None:
    """Return the gap after a step; None where the run was not checked there."""
    return record.gaps[record.steps.index(step)] if step in record.steps else None


def reached(record: Record, axis: Sequence[float]) -> float | None:
    """Return where on ``axis`` (steps, images or seconds of each check) the gap first was 0.8, interpolated."""
    gaps = record.gaps
    for index, gap in enumerate(gaps):
        if gap >= GOAL:
            if index == 0:
                return axis[0]
            before = gaps[index - 1]
            return axis[index - 1] + (axis[index] - axis[index - 1]) * (GOAL - before) / (gap - before)
    return None


def steps_of(record: Record) -> list[float]:
    return [float(step) for step in record.steps]


def images_of(record: Record) -> list[float]:
    return [float(step * record.batch) for step in record.steps]


def seconds_of(record: Record) -> list[float]:
    return list(record.seconds)


def cost(record: Record, axis: Callable[[Record], list[float]], late: float = LATE) -> float:
    """Return what the run took to the goal in units of ``axis``."""
    values = axis(record)
    found = reached(record, values)
    return max(found if found is not None else late * values[-1], 1e-3)


def mean(values: Sequence[float]) -> Estimate:
    array = np.array(values, dtype=float)
    return Estimate(float(array.mean()), *_interval(array))


def geometric_mean(values: Sequence[float]) -> Estimate:
    logs = np.log(np.array(values, dtype=float))
    low, high = _interval(logs)
    return Estimate(math.exp(float(logs.mean())), math.exp(low), math.exp(high))


def ratio(
    rows: Sequence[Record], baseline: Sequence[Record], axis: Callable[[Record], list[float]]
) -> tuple[Estimate, int] | None:
    """Return the geometric mean of the paired ratios of cost, and the number of pairs; None without pairs."""
    base = {_pair(record): record for record in baseline}
    pairs = [(record, base[_pair(record)]) for record in rows if _pair(record) in base]
    if not pairs:
        return None
    ratios = [cost(ours, axis) / cost(theirs, axis, late=1.0) for ours, theirs in pairs]
    return geometric_mean(ratios), len(pairs)


def _pair(record: Record) -> tuple[str, str, int, int]:
    return record.family, record.concept, record.images, record.seed


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)
