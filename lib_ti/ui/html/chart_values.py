"""The values of a chart in words, at each step where they can be read."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from lib_ti.training.images.curve import LossCurves, Point, ValidationCurve
from lib_ti.ui.html.chart_axes import Plane

MOST_STOPS = 150
"""Steps whose values can be read."""
MOST_OTHERS = 3
"""Other runs whose values are read too."""
Stop = tuple[float, "float | None", int, str]
"""Place across, place of the validation loss, step, and its values in words."""


def stops(curves: LossCurves, plane: Plane) -> list[Stop]:
    """Return the steps that can be read: those of the checks, or of the training loss where there are none."""
    own = [(point, curve) for curve in curves.validation for point in curve.points]
    if not own:
        chosen = curves.training or [point for curve in curves.others for point in curve.points]
        return [(round(plane.x(step), 1), None, step, _read(step, curves)) for step, _ in _thinned(chosen, None)]
    kept = {step for step, _ in _thinned([point for point, _ in own], curves.best)}
    found = {}
    for (step, loss), curve in own:  # where a step was checked on former data too, the current one counts
        if step in kept:
            scaled = loss * curve.factor(curves.current)
            y = round(plane.y(scaled), 1) if math.isfinite(scaled) else None
            found[step] = (round(plane.x(step), 1), y, step, _read(step, curves, (loss, curve)))
    return [found[step] for step in sorted(found)]


def _read(step: int, curves: LossCurves, checked: tuple[float, ValidationCurve] | None = None) -> str:
    """The values at a step, in words."""
    best = checked and checked[1] is curves.current and curves.best and step == curves.best[0]
    said = [f"step {step}{' (best)' if best else ''}"]
    if checked:
        said.append(f"validation loss {_compared(*checked)}")
    if (trained := _at(curves.training, step)) is not None:
        said.append(f"training loss {trained:.4f}")
    there = [one for one in curves.others if one.points[0][0] <= step <= one.points[-1][0]]
    said += [f"{one.title}: {_compared(_at(one.points, step) or 0.0, one)}" for one in there[:MOST_OTHERS]]
    return " · ".join(said)


def _compared(loss: float, curve: ValidationCurve) -> str:
    """A loss, and how much lower it is than without the keyword."""
    share = curve.removed(loss)
    if share is None or not math.isfinite(loss):
        return f"{loss:.4f}"
    if round(100 * share) == 0:
        return f"{loss:.4f} (the same error as without the keyword)"
    return f"{loss:.4f} ({abs(share):.0%} {'less' if share > 0 else 'more'} error than without the keyword)"


def _at(points: Sequence[Point], step: int) -> float | None:
    place = bisect_right(points, step, key=lambda point: point[0])
    return points[place - 1][1] if place else None


def _thinned(points: Sequence[Point], best: Point | None) -> list[Point]:
    """At most about :data:`MOST_STOPS` points, the last and the best one among them."""
    every = math.ceil(len(points) / MOST_STOPS)
    ends = {points[-1][0], best[0]} if best else {points[-1][0]}
    return [point for place, point in enumerate(points) if place % every == 0 or point[0] in ends]
