"""The plane of a chart: where its values lie in the SVG, and its axes with readable numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lib_ti.training.images.curve import Band, Point
from lib_ti.ui.html.fragments import escape

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 88, 64, 34, 30
"""Margins that also fit the larger labels of small screens."""
MOST_CHARACTERS = 7
"""Longest label beside the plot."""
MOST_PERCENT = 999
Range = tuple[float, float]


@dataclass(frozen=True)
class Plane:
    """Steps across and losses up, each from its lowest to its highest value."""

    across: Range
    up: Range

    def x(self, step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (step - self.across[0]) / (self.across[1] - self.across[0])

    def y(self, value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.up[1] - value) / (self.up[1] - self.up[0])

    def holds(self, value: float) -> bool:
        return self.up[0] <= value <= self.up[1]

    def path(self, points: Iterable[Point]) -> str:
        return " ".join(f"{self.x(step):.1f},{self.y(value):.1f}" for step, value in points if math.isfinite(value))

    def outline(self, noise: Sequence[Band]) -> str:
        """The corners of a band, along its lower end and back along its upper one, within the axes."""
        lower = [(step, max(low, self.up[0])) for step, low, _ in noise]
        upper = [(step, min(high, self.up[1])) for step, _, high in reversed(noise)]
        return self.path([*lower, *upper])

    def upright(self, classes: str, step: float) -> str:
        """A vertical line at a step."""
        x = self.x(step)
        return f'<line class="{classes}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'

    def level(self, classes: str, value: float) -> str:
        """A horizontal line at a value."""
        y = self.y(value)
        return f'<line class="{classes}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def steps_axis(plane: Plane) -> str:
    """The axis of the steps, with a line at round numbers."""
    base = HEIGHT - BOTTOM
    lines = [f'<line class="ti-axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>']
    for mark in _round_values(plane.across, 6, least=1):
        lines.append(plane.upright("ti-grid", mark))
        lines.append(f'<text x="{plane.x(mark):.1f}" y="{HEIGHT - 9}" text-anchor="middle">{mark:.0f}</text>')
    return "".join(lines)


def values_axis(plane: Plane, title: str, classes: str) -> str:
    """Lines at round values, labelled on the left with as few digits as distinguish them."""
    marks = _round_values(plane.up, 5)
    apart = marks[1] - marks[0] if len(marks) > 1 else abs(marks[0]) or 1.0
    digits = max(0, -math.floor(math.log10(apart) + 1e-9))
    lines = [f'<text class="{classes}" x="{LEFT - 8}" y="{TOP - 14}">{escape(title)}</text>']
    for mark in marks:
        label = f"{mark:.{digits}f}"
        label = label if len(label) <= MOST_CHARACTERS else f"{mark:.1e}"
        lines.append(plane.level("ti-grid", mark))
        y = plane.y(mark) + 4
        lines.append(f'<text class="{classes}" x="{LEFT - 8}" y="{y:.1f}" text-anchor="end">{label}</text>')
    return "".join(lines)


def shares_axis(plane: Plane, whole: float, title: str) -> str:
    """Round percentages on the right by which a loss is lower than ``whole``, which is 0%; none where they are huge."""
    ends = (100 * (1 - plane.up[1] / whole), 100 * (1 - plane.up[0] / whole))
    right = WIDTH - RIGHT
    if abs(ends[0]) > MOST_PERCENT:
        return ""
    lines = [f'<text x="{WIDTH - 4}" y="{TOP - 14}" text-anchor="end">{escape(title)}</text>']
    for mark in _round_values(ends, 5, least=1):
        y = plane.y(whole * (1 - mark / 100))
        lines.append(f'<line class="ti-axis" x1="{right}" x2="{right + 5}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{right + 8}" y="{y + 4:.1f}" text-anchor="start">{mark:.0f}%</text>')
    return "".join(lines)


def _round_values(ends: Range, most: int, *, least: float = 0.0) -> list[float]:
    """About ``most`` round numbers within a range, at most: multiples of 1, 2 or 5 times a power of ten."""
    raw = max((ends[1] - ends[0]) / most, least)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * (1 - 1e-9))
    return [number * step for number in _whole_numbers(ends[0] / step, ends[1] / step)] or [ends[0]]


def _whole_numbers(low: float, high: float) -> Iterable[int]:
    return range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
