"""When a run validates, where the user leaves that to the program, and what it costs."""

from __future__ import annotations

import itertools

import pytest

from lib_ti.config.presets import PRESETS
from lib_ti.training.validation.cadence import Cadence
from lib_ti.training.validation.history import Check
from lib_ti.training.validation.samples import sample_count
from lib_ti.training.validation.verdict import State

SHARE = 0.2
"""Samples for each image trained on that are a tenth of the time, where an image takes as long as two samples."""


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
    cadence = Cadence(images_per_step=1, samples=sample_count(5000))
    found = steps(cadence, 5000, {800: "learning", 2000: "done"})
    on_plateau = [after / before for before, after in itertools.pairwise(found) if 200 <= before < 700]
    learning = [after / before for before, after in itertools.pairwise(found) if 800 <= before < 2000]
    assert max(learning) < min(on_plateau)


@pytest.mark.parametrize("state", ["not begun", "learning", "done"])
@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if preset.steps])
def test_checks_of_a_presets_run_take_at_most_a_tenth_of_the_time(name: str, state: State) -> None:
    """With the loss without the keyword, and the last check."""
    preset = PRESETS[name]
    batch = preset.settings["batch_size"]
    images = preset.steps * batch
    samples = sample_count(images)
    found = steps(Cadence(batch, samples), preset.steps - 1, {0: state})
    assert (len(found) + 2) * samples <= SHARE * images
    assert len(found) >= 7
    assert found[-1] >= preset.steps / 2


@pytest.mark.parametrize("images", [800, 1600, 5000, 50000])
@pytest.mark.parametrize("batch", [1, 4, 8])
@pytest.mark.parametrize("state", ["not begun", "learning", "done"])
def test_checks_of_a_longer_run_take_at_most_a_tenth_too(images: int, batch: int, state: State) -> None:
    samples = sample_count(images)
    found = steps(Cadence(batch, samples), images // batch - 1, {0: state})
    assert (len(found) + 2) * samples <= SHARE * images


def test_a_longer_run_has_more_samples() -> None:
    assert [sample_count(images) for images in (10, 400, 1599, 1600, 100000)] == [8, 8, 8, 16, 16]


def test_steps_depend_on_the_checks_so_far_alone() -> None:
    """A run that is interrupted after any step, and gets an additional check there, validates at the same steps."""
    cadence = Cadence(images_per_step=2, samples=8)
    assert steps(cadence, 400)[: len(steps(cadence, 150))] == steps(cadence, 150)


def test_new_data_is_validated_at_the_next_step() -> None:
    assert Cadence(images_per_step=1, samples=8).is_due(31, [], "unknown")
