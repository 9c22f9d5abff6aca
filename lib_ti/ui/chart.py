"""The loss curve as SVG: colours come from the style sheet, so that it fits light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lib_ti.ui.fragments import escape

Points = Sequence[tuple[int, float]]
WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 22, 12, 26


def loss_curve(losses: Points, evaluations: Points, *, best_step: int | None = None, last_step: int = 0) -> str:
    """Both curves over the steps, each to its own scale: the smoothed loss of the steps is mostly chance, the measured
    loss moves little, and on one scale the first would flatten the second.

    Parameters
    ----------
    losses, evaluations
        (step, value), in order; either may be empty.
    last_step
        Where the axis ends, if that is beyond the points: the run's Max steps.
    """
    if not losses and not evaluations:
        return ""
    steps = [step for step, _ in (*losses, *evaluations)]
    first, last = min(steps), max(last_step, *steps, min(steps) + 1)
    parts = [_frame(first, last)]
    if losses:
        parts.append(f'<polyline class="ti-steps" points="{_path(losses, first, last)}"/>')
    if evaluations:
        parts.append(f'<polyline class="ti-measured" points="{_path(evaluations, first, last)}"/>')
        parts += [_dot(place, first, last, evaluations, best_step) for place in evaluations]
    parts += _scale(evaluations or losses, "ti-measured-label" if evaluations else "ti-steps-label")
    return (
        f'<figure class="ti-chart"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Loss curve">'
        f"{''.join(parts)}</svg>{_legend(bool(losses), evaluations, best_step)}</figure>"
    )


def _frame(first: int, last: int) -> str:
    """Axis, and a mark at round steps."""
    step = _round_step((last - first) / 6)
    marks = range(math.ceil(first / step) * step, last + 1, step)
    lines = []
    for mark in marks:
        x = _x(mark, first, last)
        lines.append(f'<line class="ti-grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{mark}</text>')
    base = HEIGHT - BOTTOM
    lines.append(f'<line class="ti-axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>')
    return "".join(lines)


def _scale(points: Points, classes: str) -> list[str]:
    low, high = _bounds(points)
    # As many digits as tell the two ends apart.
    digits = min(6, max(3, 2 + math.ceil(-math.log10((high - low) / max(abs(high), 1e-9)))))
    return [
        f'<text class="{classes}" x="{LEFT - 6}" y="{TOP + 8}" text-anchor="end">{high:.{digits}g}</text>',
        f'<text class="{classes}" x="{LEFT - 6}" y="{HEIGHT - BOTTOM}" text-anchor="end">{low:.{digits}g}</text>',
    ]


def _dot(place: tuple[int, float], first: int, last: int, points: Points, best_step: int | None) -> str:
    step, value = place
    best = step == best_step
    if len(points) > 60 and not best:
        return ""
    x, y = _x(step, first, last), _y(value, *_bounds(points))
    name = "ti-best" if best else "ti-dot"
    return (
        f'<circle class="{name}" cx="{x:.1f}" cy="{y:.1f}" r="{5 if best else 2.5}">'
        f"<title>step {step}: {value:.4f}{' (best)' if best else ''}</title></circle>"
    )


def _legend(has_steps: bool, evaluations: Points, best_step: int | None) -> str:
    entries = []
    if evaluations:
        best = f", best at step {best_step}" if best_step is not None else ""
        entries.append(("ti-measured", f"measured loss, {evaluations[-1][1]:.4f}{best}"))
    if has_steps:
        entries.append(("ti-steps", "loss of the steps, smoothed" + (" (own scale)" if evaluations else "")))
    spans = "".join(f'<span class="{name}">{escape(text)}</span>' for name, text in entries)
    return f'<figcaption class="ti-legend">{spans}</figcaption>'


def _path(points: Points, first: int, last: int) -> str:
    low, high = _bounds(points)
    return " ".join(f"{_x(step, first, last):.1f},{_y(value, low, high):.1f}" for step, value in points)


def _bounds(points: Points) -> tuple[float, float]:
    values = [value for _, value in points]
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5 * abs(low) - 1e-6, high + 0.5 * abs(high) + 1e-6)


def _x(step: int, first: int, last: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (step - first) / (last - first)


def _y(value: float, low: float, high: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)


def _round_step(raw: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, … from ``raw`` on."""
    power = 10 ** math.floor(math.log10(max(raw, 1)))
    return next(int(power * factor) for factor in (1, 2, 5, 10) if power * factor >= raw or factor == 10)
