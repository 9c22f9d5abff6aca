"""The loss curves as SVG: whatever the numbers are, they are well formed and within the axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest

from lib_ti.ui.html.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Points, loss_curve

SEVERAL = [(step, 0.1 + 0.01 * (step % 3)) for step in range(1, 40)]
LETTER = 0.62 * 18
"""Width of a letter at its largest, on small screens."""
CURVES: list[tuple[Points, Sequence[Points], int]] = [
    ([(1, 0.5)], [], 0),
    ([], [[(0, 0.5)]], 5000),
    ([(1, 0.0), (2, 0.0)], [[(0, 0.0)]], 2),
    ([(1, 0.5)], [[(0, 0.020814), (10, 0.020799)]], 0),
    (SEVERAL, [[(0, 1e6), (10, 1e-6), (20, 3.0)]], 0),
    (SEVERAL, [[(0, 0.3), (10, 0.1)], [(20, 0.2), (30, float("nan")), (39, 0.18)]], 40),
    ([(1, -1.0), (100000, 1.0)], [[(step, 1.0 / (step + 1)) for step in range(0, 100000, 100)]], 200000),
]


def points(svg: str) -> list[tuple[float, float]]:
    """Of all curves and dots."""
    pairs = [
        tuple(map(float, pair.split(","))) for line in re.findall(r'points="([^"]+)"', svg) for pair in line.split()
    ]
    dots = re.findall(r'<circle class="[^"]+" cx="([^"]+)" cy="([^"]+)"', svg)
    return [(x, y) for x, y in (*pairs, *((float(x), float(y)) for x, y in dots))]


def test_without_points_there_is_no_curve() -> None:
    assert loss_curve([], []) == ""
    assert loss_curve([], [[]]) == ""


@pytest.mark.parametrize(("losses", "checks", "last"), CURVES)
def test_any_curve_is_complete_and_within_its_axes(losses: Points, checks: Sequence[Points], last: int) -> None:
    newest = checks[-1] if checks else []
    noise = [(step, value - 0.1, value + 0.1) for step, value in newest]
    done = newest[-1][0] if newest else None
    text = loss_curve(losses, checks, best=newest[-1] if newest else None, noise=noise, done_step=done, last_step=last)
    ElementTree.fromstring(text)
    for x, y in points(text):
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP <= y <= HEIGHT - BOTTOM
    assert len(text) < 120_000


@pytest.mark.parametrize(("losses", "checks", "last"), CURVES)
def test_labels_are_not_clipped(losses: Points, checks: Sequence[Points], last: int) -> None:
    text = loss_curve(losses, checks, last_step=last)
    labels = re.findall(r'<text[^>]* x="([^"]+)"[^>]* text-anchor="(\w+)">([^<]+)<', text)
    assert len(labels) > 1
    for x, anchor, label in labels:
        width = len(label) * LETTER
        left = float(x) - (width if anchor == "end" else width / 2)
        assert left >= 0, label
        assert left + width <= WIDTH, label


def test_differences_within_chance_do_not_fill_the_height() -> None:
    text = loss_curve([], [[(0, 0.0203), (10, 0.0201), (20, 0.0202)]])
    heights = [y for _, y in points(text)]
    assert max(heights) - min(heights) < 0.1 * (HEIGHT - TOP - BOTTOM)
    far = [y for _, y in points(loss_curve([], [[(0, 0.04), (10, 0.02)]]))]
    assert max(far) - min(far) > 0.7 * (HEIGHT - TOP - BOTTOM)


def test_the_best_step_is_marked_and_named_even_where_the_curve_is_thinned() -> None:
    text = loss_curve(SEVERAL, [[(step, 0.3) for step in range(0, 1000, 10)]], best=(15, 0.1))
    assert text.count('class="ti-best"') == 1
    assert "step 15: 0.1000 (best)" in text
    assert "lowest 0.1000 at step 15" in text


def test_checks_on_other_data_are_a_curve_of_their_own() -> None:
    text = loss_curve([], [[(0, 0.3), (10, 0.2)], [(20, 0.5), (30, 0.4)]], best=(30, 0.4))
    assert text.count('class="ti-validation ti-earlier" points') == 1
    assert "with earlier images or settings" in text
