"""Loss curves as SVG. Colors come from the style sheet, so that they fit light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lib_ti.training.images.curve import Band, Point, value_range
from lib_ti.ui.html.fragments import escape

Points = Sequence[Point]
WIDTH, HEIGHT = 640, 230
LEFT, RIGHT, TOP, BOTTOM = 88, 34, 14, 30
"""Margins that also fit the larger labels of small screens."""
MOST_CHARACTERS = 7
"""Longest label beside the plot."""
MOST_DOTS = 60
Range = tuple[float, float]


def loss_curve(
    losses: Points,
    checks: Sequence[Points],
    *,
    best: Point | None = None,
    noise: Sequence[Band] = (),
    done_step: int | None = None,
    last_step: int = 0,
) -> str:
    """Plot both losses over the steps, each to its own scale: the noise of the training loss would flatten the
    validation loss on a common one.

    Parameters
    ----------
    losses
        (step, smoothed training loss), in order; may be empty.
    checks
        (step, validation loss), in order: a curve for each state of the data, the current one last.
    best
        Best point of the current curve.
    noise
        Band around the current curve.
    done_step
        Step since which the loss has hardly fallen; it gets a vertical line.
    last_step
        End of the axis, if beyond the points.
    """
    curves = [points for points in checks if points]
    shown = [point for points in (losses, *curves) for point in points]
    if not shown:
        return ""
    steps = [step for step, _ in shown]
    across = (float(min(steps)), float(max(last_step, *steps, min(steps) + 1)))
    up = value_range(value for points in curves for _, value in points)
    scale = up if curves else value_range(value for _, value in losses)
    parts = [_steps_axis(across), _values_axis(scale, "ti-validation-label" if curves else "ti-training-label")]
    if losses:
        own = value_range(value for _, value in losses)
        parts.append(f'<polyline class="ti-training" points="{_path(losses, across, own)}"/>')
    if noise:
        parts.append(f'<polygon class="ti-noise" points="{_outline(noise, across, up)}"/>')
    if done_step is not None:
        x = _x(done_step, across)
        parts.append(f'<line class="ti-done" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    for points in curves:
        earlier = "" if points is curves[-1] else " ti-earlier"
        parts.append(f'<polyline class="ti-validation{earlier}" points="{_path(points, across, up)}"/>')
    if curves and len(curves[-1]) <= MOST_DOTS:
        parts += [_dot(point, across, up) for point in curves[-1] if point != best]
    if best:
        parts.append(_dot(best, across, up, best=True))
    return (
        f'<figure class="ti-chart"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Loss curves">'
        f"{''.join(parts)}</svg>{_legend(bool(losses), curves, best, done_step, noisy=bool(noise))}</figure>"
    )


def _steps_axis(across: Range) -> str:
    """The axis of the steps, with a line at round numbers."""
    base = HEIGHT - BOTTOM
    lines = [f'<line class="ti-axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>']
    for mark in _round_values(across, 6, least=1):
        x = _x(mark, across)
        lines.append(f'<line class="ti-grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{base}"/>')
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - 9}" text-anchor="middle">{mark:.0f}</text>')
    return "".join(lines)


def _values_axis(scale: Range, classes: str) -> str:
    """Lines at round values, labelled with as few digits as distinguish them."""
    marks = _round_values(scale, 5)
    apart = marks[1] - marks[0] if len(marks) > 1 else abs(marks[0]) or 1.0
    digits = max(0, -math.floor(math.log10(apart) + 1e-9))
    lines = []
    for mark in marks:
        y = _y(mark, scale)
        label = f"{mark:.{digits}f}"
        label = label if len(label) <= MOST_CHARACTERS else f"{mark:.1e}"
        lines.append(f'<line class="ti-grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="{classes}" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    return "".join(lines)


def _dot(point: Point, across: Range, up: Range, *, best: bool = False) -> str:
    step, value = point
    if not math.isfinite(value):
        return ""
    name, radius = ("ti-best", 5.0) if best else ("ti-dot", 2.5)
    title = f"step {step}: {value:.4f}{' (best)' if best else ''}"
    x, y = _x(step, across), _y(value, up)
    return f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"><title>{title}</title></circle>'


def _legend(
    has_training: bool, curves: Sequence[Points], best: Point | None, done_step: int | None, *, noisy: bool
) -> str:
    entries = []
    if curves:
        lowest = f", lowest {best[1]:.4f} at step {best[0]}" if best else ""
        entries.append(("ti-validation", f"validation loss {curves[-1][-1][1]:.4f}{lowest}"))
    if noisy:
        entries.append(("ti-noise", "± 1 standard error of the difference from the best step before"))
    if done_step is not None:
        entries.append(("ti-done", f"done since step {done_step}"))
    if len(curves) > 1:
        entries.append(("ti-validation ti-earlier", "with earlier images or settings"))
    if has_training:
        entries.append(("ti-training", "training loss, smoothed" + (" (own scale)" if curves else "")))
    spans = "".join(f'<span class="{name}">{escape(text)}</span>' for name, text in entries)
    return f'<figcaption class="ti-legend">{spans}</figcaption>'


def _path(points: Points, across: Range, up: Range) -> str:
    return " ".join(f"{_x(step, across):.1f},{_y(value, up):.1f}" for step, value in points if math.isfinite(value))


def _outline(noise: Sequence[Band], across: Range, up: Range) -> str:
    """The corners of a band, along its lower end and back along its upper one, within the axes."""
    lower = [(step, max(low, up[0])) for step, low, _ in noise]
    upper = [(step, min(high, up[1])) for step, _, high in reversed(noise)]
    return _path([*lower, *upper], across, up)


def _round_values(ends: Range, most: int, *, least: float = 0.0) -> list[float]:
    """About ``most`` round numbers within a range, at most: multiples of 1, 2 or 5 times a power of ten."""
    raw = max((ends[1] - ends[0]) / most, least)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * (1 - 1e-9))
    return [number * step for number in _whole_numbers(ends[0] / step, ends[1] / step)] or [ends[0]]


def _whole_numbers(low: float, high: float) -> Iterable[int]:
    return range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)


def _x(step: float, across: Range) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (step - across[0]) / (across[1] - across[0])


def _y(value: float, up: Range) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (up[1] - value) / (up[1] - up[0])
