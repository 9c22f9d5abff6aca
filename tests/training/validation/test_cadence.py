"""When a run validates, where the user leaves that to the program, and what it costs."""

from __future__ import annotations

import itertools

import pytest

from lib_ti.training.validation.cadence import SHARE, Cadence
from lib_ti.training.validation.history import Check
from lib_ti.training.validation.verdict import State


def steps(cadence: Cadence, last: int, states: dict[int, State] | None = None) -> list[int]:
    """The steps up to ``last`` that are followed by a check; ``states`` are those from a step on."""
    due = [Check(0, 1.0, 1.0)]
    for step in range(1, last + 1):
        state: State = "not begun"
        for begin, known in (states or {}).items():
            state = known if due[-1].step >= begin else state
        if cadence.is_due(step, due, state):
            due.append(Check(step, 1.0, 1.0))
    return [check.step for check in due]


def test_checks_are_denser_while_the_embedding_learns() -> None:
    cadence = Cadence(images_per_step=1, forwards=32)
    found = steps(cadence, 5000, {800: "learning", 1500: "done"})

    def gaps(begin: int, end: int) -> list[float]:
        return [after / before for before, after in itertools.pairwise(found) if begin <= before < end]

    assert max(gaps(800, 1500)) < min(gaps(200, 700))
    assert max(gaps(800, 1500)) < min(gaps(1700, 4000))


@pytest.mark.parametrize("forwards", [32, 64])
@pytest.mark.parametrize("images_per_step", [1, 4, 8])
@pytest.mark.parametrize("state", ["not begun", "learning", "done"])
def test_a_long_run_spends_little_on_checks(forwards: int, images_per_step: int, state: State) -> None:
    """In images passed through the model, of which a training step takes at least 2.7 times as long."""
    images = 5000
    found = steps(Cadence(images_per_step, forwards), images // images_per_step, {0: state})
    assert len(found) * forwards / 2.7 <= 1.5 * SHARE * images


def test_steps_depend_on_the_checks_so_far_alone() -> None:
    """A run that is interrupted after any step, and gets an additional check there, validates at the same steps."""
    cadence = Cadence(images_per_step=2, forwards=64)
    assert steps(cadence, 400)[: len(steps(cadence, 150))] == steps(cadence, 150)


def test_new_data_is_validated_at_the_next_step() -> None:
    assert Cadence(images_per_step=1, forwards=64).is_due(31, [], "unknown")
