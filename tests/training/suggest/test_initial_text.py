"""Suggest from settings and a folder, on a model of a few lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import SuggestConfig
from lib_ti.errors import BadInput, Stopped
from lib_ti.signals import Control, Event, LogMessage, Progress
from lib_ti.training.suggest.initial_text import suggest
from lib_ti.training.suggest.suggestions import Suggestions
from tests.fakes import FakeHost, draw_images

WORDS = "watercolor glossy striped tyrannosaurus fog lemon".split()


def find(host: Any, folder: Path, events: list[Event] | None = None, **changes: Any) -> Suggestions:
    words = folder / "words.txt"
    words.write_text("\n".join(WORDS), encoding="utf-8")
    values = {"dataset": str(folder / "images"), "words": str(words), "cache_latents": False, **changes}
    return suggest(host, SuggestConfig(**values), (events if events is not None else []).append, Control())


@pytest.fixture
def fake(tmp_path: Path) -> FakeHost:
    draw_images(tmp_path / "images")
    return FakeHost(tmp_path)


def test_progress_reaches_its_end_and_the_ranking_is_repeatable(fake: FakeHost, tmp_path: Path) -> None:
    events: list[Event] = []
    found = find(fake, tmp_path, events)
    assert found == find(fake, tmp_path)
    assert found.compared == len(WORDS) + 2  # and the captions' words “picture” and “flat”
    stages = {event.stage: event for event in events if isinstance(event, Progress)}
    assert set(stages) == {"Reading images", "Encoding images", "Comparing words"}
    assert all(event.done == event.total for event in stages.values())
    assert not fake.models.open_sessions


def test_images_without_captions_are_compared_by_the_template_alone(fake: FakeHost, tmp_path: Path) -> None:
    for file in (tmp_path / "images").glob("*.txt"):
        file.write_text("")
    events: list[Event] = []
    assert find(fake, tmp_path, events).compared == len(WORDS)
    said = " ".join(event.text for event in events if isinstance(event, LogMessage))
    assert "10 of 10 images have an empty caption" in said


def test_latents_are_kept_for_a_run(fake: FakeHost, tmp_path: Path) -> None:
    find(fake, tmp_path, cache_latents=True, log_directory=str(tmp_path / "logs"))
    assert len(list((tmp_path / "logs" / ".latents").iterdir())) >= 10


@pytest.mark.parametrize("stage", ["Reading images", "Encoding images", "Comparing words"])
def test_it_can_be_stopped_at_any_stage(fake: FakeHost, tmp_path: Path, stage: str) -> None:
    control = Control()

    def listen(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == stage:
            control.stop("a test")

    config = SuggestConfig(dataset=str(tmp_path / "images"), cache_latents=False)
    with pytest.raises(Stopped):
        suggest(fake, config, listen, control)
    assert not fake.models.open_sessions


def test_all_problems_are_reported_together(fake: FakeHost, tmp_path: Path) -> None:
    wrong = {"dataset": "nowhere", "template": "none-such", "words": str(tmp_path / "missing.txt")}
    with pytest.raises(BadInput) as raised:
        find(fake, tmp_path, **wrong)
    for words in ("nowhere", "none-such", "missing.txt"):
        assert any(words in problem for problem in raised.value.problems)


def test_a_folder_without_images_is_refused(fake: FakeHost, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no image"):
        find(fake, tmp_path, dataset=str(tmp_path / "empty"))
