"""Loss curves as SVG. Colors come from the style sheet, so that they fit light and dark pages.

``javascript/ti_chart.js`` shows the values under the pointer; the arrow keys move it too. Without it, the values of the
best step are shown, and those of single checks in the tooltips of their dots.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace

from lib_ti.training.images.curve import LossCurves, Point, ValidationCurve, value_range
from lib_ti.ui.html.chart_axes import BOTTOM, HEIGHT, TOP, WIDTH, Plane, shares_axis, steps_axis, values_axis
from lib_ti.ui.html.chart_values import stops
from lib_ti.ui.html.fragments import escape

MOST_DOTS = 60
NOISE = "Standard error of the difference from the best step before"


def loss_curve(curves: LossCurves, *, last_step: int = 0, pick: str = "") -> str:
    """Plot both losses over the steps, each to its own scale: the noise of the training loss would flatten the
    validation loss on a common one. Losses on other data are scaled to the same error without the keyword.

    Parameters
    ----------
    last_step
        End of the axis, if beyond the points.
    pick
        Id of the field that a press on a step is written into; none where steps cannot be chosen.
    """
    drawn = replace(
        curves,
        validation=[curve for curve in curves.validation if curve.points],
        others=[curve for curve in curves.others if curve.points],
    )
    every = [drawn.training, *(curve.points for curve in (*drawn.validation, *drawn.others))]
    steps = [step for points in every for step, _ in points]
    if not steps:
        return ""
    across = (float(min(steps)), float(max(last_step, *steps, min(steps) + 1)))
    plane = Plane(across, _losses_range(drawn))
    return f'<figure class="ti-chart">{_plot(drawn, plane, pick)}{_legend(drawn, plane)}</figure>'


def _plot(curves: LossCurves, plane: Plane, pick: str) -> str:
    """The drawing as a slider of the steps, which the keyboard reaches, and the line of values below it."""
    read = stops(curves, plane)
    _, _, step, text = next((one for one in read if curves.best and one[2] == curves.best[0]), read[-1])
    picks = f' data-pick-field="{pick}"' if pick else ""
    return (
        f'<div class="ti-plot" role="slider" tabindex="0" aria-label="Loss curves: step" aria-valuemin="{read[0][2]}" '
        f'aria-valuemax="{read[-1][2]}" aria-valuenow="{step}" aria-valuetext="{escape(text)}" '
        f'data-stops="{escape(json.dumps(read))}"{picks}>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{_drawing(curves, plane)}'
        f'<g class="ti-cursor" visibility="hidden"><line x1="0" x2="0" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        f'<circle cx="0" cy="0" r="4"/></g></svg></div><p class="ti-values">{escape(text)}</p>'
    )


def _drawing(curves: LossCurves, plane: Plane) -> str:
    current = curves.current
    title, classes = ("validation loss", "ti-validation") if current else ("training loss", "ti-training")
    parts = [steps_axis(plane), values_axis(plane, title, f"{classes}-label")]
    if current and current.no_keyword:
        parts.append(shares_axis(plane, current.no_keyword, "less error with the keyword"))
    if (level := _no_keyword_shown(curves, plane)) is not None:
        parts.append(plane.level("ti-no-keyword", level))
    if curves.training:
        behind = Plane(plane.across, value_range(value for _, value in curves.training))
        parts.append(f'<polyline class="ti-training" points="{behind.path(curves.training)}"/>')
    parts += [_other(curve, current, plane) for curve in curves.others]
    if curves.noise and current:
        parts.append(f'<polygon class="ti-noise" points="{plane.outline(curves.noise)}"/>')
    if curves.done_step is not None:
        parts.append(plane.upright("ti-done", curves.done_step))
    parts += [_validation(curve, curves, plane) for curve in curves.validation]
    if curves.best and current:
        parts.append(_dot(curves.best, plane, best=True))
    return "".join(parts)


def _losses_range(curves: LossCurves) -> tuple[float, float]:
    """Range of the run's curves, and of other runs and the error without the keyword as far as they are near."""
    current = curves.current
    if current is None:
        return value_range(value for _, value in (*curves.training, *(p for one in curves.others for p in one.points)))
    losses = [loss * curve.factor(current) for curve in curves.validation for _, loss in curve.points]
    near = [loss * curve.factor(current) for curve in curves.others for _, loss in curve.points]
    near += [current.no_keyword] if current.no_keyword else []
    low, high = value_range(losses)
    span = high - low
    return value_range([*losses, *(loss for loss in near if low - span <= loss <= high + span)])


def _no_keyword_shown(curves: LossCurves, plane: Plane) -> float | None:
    """The error without the keyword where it is within the axes; else None."""
    level = curves.current.no_keyword if curves.current else None
    return level if level and plane.holds(level) else None


def _validation(curve: ValidationCurve, curves: LossCurves, plane: Plane) -> str:
    """One validation curve, with dots where there are few."""
    factor, current = curve.factor(curves.current), curve is curves.current
    points = [(step, loss * factor) for step, loss in curve.points]
    shown = f'<polyline class="ti-validation{"" if current else " ti-earlier"}" points="{plane.path(points)}"/>'
    if current and len(points) <= MOST_DOTS:
        shown += "".join(_dot(point, plane) for point in points if point != curves.best)
    return shown


def _other(curve: ValidationCurve, current: ValidationCurve | None, plane: Plane) -> str:
    """The validation loss of another run, without what is outside the axes."""
    factor = curve.factor(current)
    points = [(step, loss * factor) for step, loss in curve.points if plane.holds(loss * factor)]
    if not points:
        return ""
    return (
        f'<polyline class="ti-other-run" points="{plane.path(points)}"><title>{escape(curve.title)}</title></polyline>'
    )


def _dot(point: Point, plane: Plane, *, best: bool = False) -> str:
    step, value = point
    if not math.isfinite(value):
        return ""
    name, radius = ("ti-best", 5.0) if best else ("ti-dot", 2.5)
    title = f"step {step}: {value:.4f}{' (best)' if best else ''}"
    x, y = plane.x(step), plane.y(value)
    return f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"><title>{title}</title></circle>'


def _legend(curves: LossCurves, plane: Plane) -> str:
    current, entries = curves.current, []
    if current:
        entries.append(_entry("ti-validation", f"validation loss {current.points[-1][1]:.4f}"))
    if current and curves.best:
        entries.append(_entry("ti-best", f"lowest {curves.best[1]:.4f} at step {curves.best[0]}"))
    if curves.noise:
        entries.append(_entry("ti-noise", "± 1 standard error", NOISE))
    if curves.done_step is not None:
        entries.append(_entry("ti-done", f"done since step {curves.done_step}"))
    if (level := _no_keyword_shown(curves, plane)) is not None:
        entries.append(_entry("ti-no-keyword", f"without the keyword {level:.4f}"))
    if len(curves.validation) > 1:
        entries.append(_entry("ti-validation ti-earlier", "with earlier images or settings"))
    if curves.others:
        entries.append(_entry("ti-other-run", "other runs of this embedding"))
    if curves.training:
        entries.append(_entry("ti-training", "training loss, smoothed" + (" (own scale)" if current else "")))
    return f'<figcaption class="ti-legend">{"".join(entries)}</figcaption>'


def _entry(classes: str, text: str, title: str = "") -> str:
    more = f' title="{escape(title)}"' if title else ""
    return f'<span class="{classes}"{more}>{escape(text)}</span>'
