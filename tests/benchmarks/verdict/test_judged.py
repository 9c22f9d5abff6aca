"""What the benchmark of the verdict makes of measured runs."""

from __future__ import annotations

import pytest

from tests.benchmarks.verdict.command import rows
from tests.benchmarks.verdict.judged import judged
from tests.benchmarks.verdict.kinds import CHOSEN_ON, KINDS, some

STEPS = (0, 12, 20, 32, 52, 84, 135, 200)


def record(losses: list[float], truth: list[float]) -> dict[str, object]:
    checks = [
        {"step": step, "validation": [loss * share for share in range(1, 9)], "truth": true}
        for step, loss, true in zip(STEPS, losses, truth, strict=True)
    ]
    cost = {"step_seconds": 0.06, "check_seconds": 0.07}
    return {"key": "style striped 1", "kind": "style", "batch": 2, "true": 0.02, **cost, "checks": checks}


def test_a_run_that_is_right_in_all_keeps_what_is_promised() -> None:
    losses = [0.03, 0.0295, 0.022, 0.0205, 0.0203, 0.0202, 0.0201, 0.0200]
    run = judged(record(losses, losses))
    assert run.whole_step == 32
    assert run.done_step is not None and not run.is_false(run.done_step)
    assert run.end_step is not None and run.end_step > run.done_step
    assert run.cost == pytest.approx(9 * 0.07 / (200 * 0.06))
    found = {row.what: row.kept for row in rows([run])}
    assert found["best step within 0.05 of the best gap"]
    assert found["CPU time of the checks in these runs, batch size 2, 400 images"]


def test_a_plateau_before_the_goal_is_called_done_falsely() -> None:
    losses = [0.03, 0.026, 0.0255, 0.0254, 0.0253, 0.0252, 0.0203, 0.0200]
    run = judged(record(losses, losses))
    assert run.is_false(run.done_step)


def test_runs_to_report_are_others_than_those_that_rules_were_chosen_on() -> None:
    assert len(KINDS) * 5 == CHOSEN_ON
    chosen, reported = ({run.key for run in some(first, CHOSEN_ON)} for first in (0, CHOSEN_ON))
    assert not chosen & reported
