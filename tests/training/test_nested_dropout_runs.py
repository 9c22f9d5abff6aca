"""Runs with nested dropout: resumed, changed on the way, of a single vector."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lib_ti.embedding import files
from lib_ti.signals import Event, LogMessage, StepDone
from lib_ti.training.files.run_state import load_state
from tests.training.conftest import Studio


def messages(studio: Studio) -> str:
    return "\n".join(event.text for event in studio.of(LogMessage))


def stop_at_7(studio: Studio) -> Callable[[Event], None]:
    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 7:
            studio.control.stop()

    return stop


@pytest.mark.parametrize("accumulated", [1, 3])
def test_a_stopped_run_equals_an_uninterrupted_one(studio: Studio, another: Studio, accumulated: int) -> None:
    settings = {"nested_dropout": True, "gradient_accumulation": accumulated}
    studio.train(stop_at_7(studio), **settings)
    assert load_state(next(studio.logs.glob("*/*/state.safetensors"))).step == 7
    studio.train(**settings)
    another.train(**settings)
    resumed, whole = files.load(studio.embedding_file), files.load(another.embedding_file)
    assert resumed.step == whole.step == 20
    assert resumed.vectors["clip_l"].equal(whole.vectors["clip_l"])


def test_it_trains_otherwise_and_a_change_on_the_way_is_reported(studio: Studio, another: Studio) -> None:
    studio.train(nested_dropout=True)
    another.train()
    vectors = [files.load(one.embedding_file).vectors["clip_l"] for one in (studio, another)]
    assert not vectors[0].equal(vectors[1])
    studio.train(max_steps=25)
    assert "Nested dropout of vectors was True and is False from the next step on." in messages(studio)
