"""Check warns of an initialization text that contradicts the images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import CreateConfig, TrainConfig
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINT
from lib_ti.pocket.sample_set import sample_set
from lib_ti.signals import Control, Event, LogMessage
from lib_ti.training.check import check_run
from lib_ti.training.create import create
from lib_ti.training.run import train
from lib_ti.training.suggest import contradiction


class Runs:
    """The pocket model with ten images in the style “glowing”; :meth:`warnings` are those about the text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = EmbeddedHost(CHECKPOINT, embeddings_folder=folder / "embeddings", device="cpu")
        sample_set(folder / "images", "glowing", count=10)

    def config(self, name: str) -> TrainConfig:
        return TrainConfig(
            name=name,
            dataset=str(self.folder / "images"),
            log_directory=str(self.folder / "logs"),
            max_steps=2,
            save_image_every=0,
            validate_every=0,
        )

    def warnings(self, name: str, text: str) -> list[str]:
        create(self.host, CreateConfig(name=name, text=text, vectors=2))
        return [
            finding.text
            for finding in check_run(self.host, self.config(name))
            if "fits these images worse" in finding.text or "was not checked" in finding.text
        ]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    monkeypatch.setattr(contradiction, "_remembered", {})
    return Runs(tmp_path)


def test_a_word_that_contradicts_the_images_is_named_with_both_losses(runs: Runs) -> None:
    [said] = runs.warnings("my-style", "striped")
    assert said.startswith("Initialization text “striped” fits these images worse than no word: loss 0.")
    assert " against 0." in said
    assert not list((runs.folder / "logs").rglob("*")), "Check writes nothing"


@pytest.mark.parametrize("text", ["style", "painting", "glowing", "*"])
def test_a_neutral_or_right_word_is_no_warning(runs: Runs, text: str) -> None:
    assert not runs.warnings("my-style", text)


def test_a_trained_embedding_is_not_compared(runs: Runs) -> None:
    assert runs.warnings("my-style", "striped")
    train(runs.host, runs.config("my-style"), lambda event: None, Control())
    found = check_run(runs.host, TrainConfig(**{**vars(runs.config("my-style")), "max_steps": 4}))
    assert not [finding for finding in found if "fits these images worse" in finding.text]


def test_a_comparison_that_would_take_long_is_skipped_with_a_note(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contradiction, "LONGEST", 0.0)
    [said] = runs.warnings("my-style", "striped")
    assert said.startswith("Whether “striped” fits the images was not checked: it would take about")


def test_a_run_logs_the_warning_once_and_does_not_compute_what_its_check_has(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(runs.host, CreateConfig(name="my-style", text="striped", vectors=2))
    computed: list[str] = []
    compare = contradiction._compare

    def counted(model: Any, text: str, samples: Any) -> Any:
        computed.append(text)
        return compare(model, text, samples)

    monkeypatch.setattr(contradiction, "_compare", counted)
    events: list[Event] = []
    train(runs.host, runs.config("my-style"), events.append, Control())
    warnings = [event.text for event in events if isinstance(event, LogMessage) and event.warning]
    assert len([text for text in warnings if "fits these images worse than no word" in text]) == 1
    create(runs.host, CreateConfig(name="my-style", text="striped", vectors=2, overwrite=True))
    train(runs.host, runs.config("my-style"), events.append, Control())
    assert computed == ["striped"]
    train(runs.host, replace(runs.config("my-style"), max_steps=4), events.append, Control())
    warnings = [event.text for event in events if isinstance(event, LogMessage) and event.warning]
    assert len([text for text in warnings if "fits these images worse than no word" in text]) == 2
