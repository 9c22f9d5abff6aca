"""Loss curves of any length for pages and plots: few points, and a range that does not magnify noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MOST_POINTS = 500
"""Points of a curve that are kept: more than a screen shows."""
SMALLEST_SPAN = 0.15
"""Smallest height of a plot as a share of the middle loss: validation losses differ by some percent at random."""
PADDING = 0.08

Point = tuple[int, float]
Band = tuple[int, float, float]
"""Step, lower and upper end of what noise explains."""


@dataclass(frozen=True)
class ValidationCurve:
    """(step, validation loss) on one state of the data."""

    points: Sequence[Point]
    no_keyword: float | None = None
    """Loss of the same samples where the prompts are without the embedding; None where it was not measured."""
    title: str = ""
    """The run's folder, where it is another run."""

    def removed(self, loss: float) -> float | None:
        """Return the share of the error without the keyword that the keyword removes; None where unknown."""
        return 1 - loss / self.no_keyword if self.no_keyword else None

    def factor(self, current: ValidationCurve | None) -> float:
        """Return by what to multiply its losses, so that the error without the keyword is that of another curve."""
        if current is None or not (self.no_keyword and current.no_keyword):
            return 1.0
        return current.no_keyword / self.no_keyword


@dataclass(frozen=True)
class LossCurves:
    """The losses of a run over its steps."""

    training: Sequence[Point] = ()
    """(step, smoothed training loss)."""
    validation: Sequence[ValidationCurve] = ()
    """A curve for each state of the data, the current one last."""
    noise: Sequence[Band] = ()
    """Band of one standard error around the current one."""
    best: Point | None = None
    """Best step of the current one, and its loss."""
    done_step: int | None = None
    """Step since which the loss has hardly fallen."""
    others: Sequence[ValidationCurve] = ()
    """Of other runs of the embedding: a curve for each state of their data."""

    @property
    def current(self) -> ValidationCurve | None:
        return self.validation[-1] if self.validation else None


class Curve:
    """Points (step, value) of a curve of any length, thinned evenly to at most ``most``."""

    def __init__(self, most: int = MOST_POINTS) -> None:
        self._most, self._every, self._seen = most, 1, 0
        self._points: list[Point] = []
        self._last: Point | None = None

    def add(self, step: int, value: float) -> None:
        self._last = (step, value)
        if self._seen % self._every == 0:
            self._points.append(self._last)
        self._seen += 1
        if len(self._points) >= self._most:
            self._points = self._points[::2]
            self._every *= 2

    def points(self) -> tuple[Point, ...]:
        newest = [self._last] if self._last and self._points[-1] != self._last else []
        return (*self._points, *newest)


def band(points: Iterable[Point], errors: Mapping[int, float]) -> tuple[Band, ...]:
    """Return the band of one standard error around a curve; ``errors`` are by step."""
    return tuple((step, value - errors[step], value + errors[step]) for step, value in points if step in errors)


def value_range(values: Iterable[float]) -> tuple[float, float]:
    """Return the lower and upper end of an axis for these values, with a margin at both; (0, 1) without finite ones."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    middle = (low + high) / 2
    span = max((high - low) * (1 + 2 * PADDING), SMALLEST_SPAN * abs(middle)) or 1.0
    lower = middle - span / 2
    return (max(0.0, lower) if low >= 0 else lower), middle + span / 2
