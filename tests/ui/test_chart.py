"""The loss curves as SVG: whatever the numbers are, they are well formed and within the axes."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import pytest

from lib_ti.training.images.curve import LossCurves, Point, ValidationCurve
from lib_ti.ui.html.chart import loss_curve
from lib_ti.ui.html.chart_axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH

Points = Sequence[Point]

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


NO_KEYWORDS = [None, 0.4, 0.0, 1e-9]
"""Losses without the keyword."""


def curves(losses: Points, checks: Sequence[Points], no_keyword: float | None = None, **others: Any) -> LossCurves:
    return LossCurves(losses, [ValidationCurve(points, no_keyword) for points in checks], **others)


def points(svg: str) -> list[tuple[float, float]]:
    """Of all curves and dots."""
    pairs = [
        tuple(map(float, pair.split(","))) for line in re.findall(r'points="([^"]+)"', svg) for pair in line.split()
    ]
    dots = re.findall(r'<circle class="[^"]+" cx="([^"]+)" cy="([^"]+)"', svg)
    return [(x, y) for x, y in (*pairs, *((float(x), float(y)) for x, y in dots))]


def stops(svg: str) -> list[list[Any]]:
    """What can be read: place, height, step and values."""
    return json.loads(html.unescape(re.findall(r'data-stops="([^"]+)"', svg)[0]))


def test_without_points_there_is_no_curve() -> None:
    assert loss_curve(LossCurves()) == ""
    assert loss_curve(curves([], [[]])) == ""


@pytest.mark.parametrize("no_keyword", NO_KEYWORDS)
@pytest.mark.parametrize(("losses", "checks", "last"), CURVES)
def test_any_curve_is_complete_and_within_its_axes(
    losses: Points, checks: Sequence[Points], last: int, no_keyword: float | None
) -> None:
    newest = checks[-1] if checks else []
    drawn = curves(
        losses,
        checks,
        no_keyword,
        best=newest[-1] if newest else None,
        noise=[(step, value - 0.1, value + 0.1) for step, value in newest],
        done_step=newest[-1][0] if newest else None,
        others=[ValidationCurve([(0, 9.0), (30, 0.3), (60, 0.2)], 0.5, "2026-12-01/<b>")],
    )
    text = loss_curve(drawn, last_step=last)
    ElementTree.fromstring(text)
    for x, y in points(text):
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP <= y <= HEIGHT - BOTTOM
    assert len(text) < 120_000


@pytest.mark.parametrize("no_keyword", NO_KEYWORDS)
@pytest.mark.parametrize(("losses", "checks", "last"), CURVES)
def test_labels_are_not_clipped(losses: Points, checks: Sequence[Points], last: int, no_keyword: float | None) -> None:
    text = loss_curve(curves(losses, checks, no_keyword), last_step=last)
    labels = re.findall(r'<text[^>]* x="([^"]+)"[^>]* text-anchor="(\w+)">([^<]+)<', text)
    assert len(labels) > 1
    for x, anchor, label in labels:
        width = len(label) * LETTER
        left = float(x) - {"end": width, "middle": width / 2, "start": 0}[anchor]
        assert left >= 0, label
        assert left + width <= WIDTH, label


def test_differences_within_chance_do_not_fill_the_height() -> None:
    text = loss_curve(curves([], [[(0, 0.0203), (10, 0.0201), (20, 0.0202)]]))
    heights = [y for _, y in points(text)]
    assert max(heights) - min(heights) < 0.1 * (HEIGHT - TOP - BOTTOM)
    far = [y for _, y in points(loss_curve(curves([], [[(0, 0.04), (10, 0.02)]])))]
    assert max(far) - min(far) > 0.7 * (HEIGHT - TOP - BOTTOM)


def test_the_best_step_is_marked_and_named_even_where_the_curve_is_thinned() -> None:
    text = loss_curve(curves(SEVERAL, [[(step, 0.3) for step in range(0, 1000, 10)]], best=(15, 0.1)))
    assert text.count('<circle class="ti-best"') == 1
    assert "step 15: 0.1000 (best)" in text
    assert "lowest 0.1000 at step 15" in text


def test_checks_on_other_data_are_a_curve_of_their_own() -> None:
    text = loss_curve(curves([], [[(0, 0.3), (10, 0.2)], [(20, 0.5), (30, 0.4)]], best=(30, 0.4)))
    assert text.count('class="ti-validation ti-earlier" points') == 1
    assert "with earlier images or settings" in text


def test_values_of_every_check_are_read_with_the_error_that_the_keyword_removes() -> None:
    other = ValidationCurve([(0, 0.5), (20, 0.3)], 0.6, "2026-11-30/my-style")
    checks = [(0, 0.4), (10, 0.3), (20, 0.45)]
    text = loss_curve(curves([(1, 0.7), (15, 0.6)], [checks], 0.4, best=(10, 0.3), others=[other]))
    read = {step: said for _, _, step, said in stops(text)}
    assert list(read) == [0, 10, 20]
    assert read[10].startswith(
        "step 10 (best) · validation loss 0.3000 (25% less error than without the keyword) · training loss 0.7000"
    )
    assert "0.4000 (the same error as without the keyword)" in read[0]
    assert "0.4500 (12% more error than without the keyword)" in read[20]
    assert read[20].endswith("2026-11-30/my-style: 0.3000 (50% less error than without the keyword)")
    # Before anything is pointed at, those of the best step are there.
    assert f'aria-valuenow="10" aria-valuetext="{read[10]}"' in text and f">{read[10]}</p>" in text


def test_the_error_without_the_keyword_is_a_line_where_it_is_near_and_zero_percent() -> None:
    near = loss_curve(curves([], [[(0, 0.4), (10, 0.3)]], 0.42))
    assert '<line class="ti-no-keyword"' in near and "without the keyword 0.4200" in near and ">0%</text>" in near
    far = loss_curve(curves([], [[(0, 0.4), (10, 0.39)]], 4.0))
    assert '<line class="ti-no-keyword"' not in far and "without the keyword 4" not in far
    assert ">90%</text>" in far


def test_runs_on_other_data_are_at_the_height_of_the_error_that_they_remove() -> None:
    """Half the loss on data where everything is half as hard is the same height."""
    other = ValidationCurve([(0, 0.2), (10, 0.15)], 0.2, "other")
    text = loss_curve(curves([], [[(0, 0.4), (10, 0.3)]], 0.4, others=[other]))
    lines = re.findall(r'<polyline class="(ti-validation|ti-other-run)" points="([^"]+)"', text)
    assert {name for name, _ in lines} == {"ti-validation", "ti-other-run"}
    assert lines[0][1] == lines[1][1]


def test_a_press_chooses_a_step_only_where_there_are_steps_to_choose() -> None:
    drawn = curves([], [[(0, 0.4), (10, 0.3)]])
    assert 'data-pick-field="ti_field"' in loss_curve(drawn, pick="ti_field")
    assert "data-pick-field" not in loss_curve(drawn)
