"""The loss curve as SVG: whatever the numbers are, it is well formed and within its frame."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from lib_ti.ui.chart import HEIGHT, WIDTH, Points, loss_curve

SEVERAL = [(step, 0.1 + 0.01 * (step % 3)) for step in range(1, 40)]


def test_without_points_there_is_no_curve() -> None:
    assert loss_curve([], []) == ""


@pytest.mark.parametrize(
    ("losses", "evaluations", "last"),
    [
        ([(1, 0.5)], [], 0),
        ([], [(0, 0.5)], 5000),
        ([(1, 0.0), (2, 0.0)], [(0, 0.0)], 2),
        (SEVERAL, [(0, 1e6), (10, 1e-6), (20, 3.0)], 0),
        ([(1, -1.0), (100000, 1.0)], [(step, 1.0 / (step + 1)) for step in range(0, 100000, 100)], 200000),
    ],
)
def test_any_curve_is_whole_and_within_its_frame(losses: Points, evaluations: Points, last: int) -> None:
    text = loss_curve(losses, evaluations, best_step=10, last_step=last)
    ElementTree.fromstring(text)
    for line in re.findall(r'points="([^"]+)"', text):
        for pair in line.split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    assert len(text) < 120_000


def test_the_best_step_is_marked_and_named() -> None:
    text = loss_curve(SEVERAL, [(0, 0.3), (10, 0.1), (20, 0.2)], best_step=10)
    assert text.count("ti-best") == 1
    assert "step 10: 0.1000 (best)" in text
    assert "best at step 10" in text
