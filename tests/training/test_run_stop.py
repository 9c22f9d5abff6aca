"""How a run is stopped, by whom, and what is saved then."""

from __future__ import annotations

import pytest

from lib_ti.embedding import files
from lib_ti.signals import (
    Event,
    LogMessage,
    PreviewFailed,
    PreviewMade,
    PreviewStarted,
    StepDone,
)
from tests.training.conftest import Studio


def test_stop_ends_after_the_step_and_saves(studio: Studio) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            studio.control.stop()

    finished = studio.train(stop)
    assert (finished.reason, finished.step) == ("stopped", 3)
    assert files.load(studio.embedding_file).step == 3
    assert studio.train().reason == "done"


def test_the_log_says_what_stopped_the_run(studio: Studio) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            studio.control.stop("Ctrl-C")
            studio.control.stop("Interrupt")

    finished = studio.train(stop)
    assert finished.stopped_by == "Ctrl-C"
    assert "was stopped by Ctrl-C after step 3" in (finished.folder / "run.log").read_text().splitlines()[-1]


def test_an_interrupt_of_the_hosts_is_named(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio.host.models, "interrupted", lambda: "Skip elsewhere" if studio.of(StepDone) else "")
    finished = studio.train()
    assert (finished.reason, finished.step, finished.stopped_by) == ("stopped", 1, "Skip elsewhere")


def test_stop_interrupts_the_preview_and_saves(studio: Studio) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, PreviewStarted) and event.step == 10:
            studio.control.stop("Interrupt")

    finished = studio.train(stop, save_embedding_every=0)
    assert (finished.reason, finished.step) == ("stopped", 10)
    assert files.load(studio.embedding_file).step == 10
    assert not studio.of(PreviewFailed)
    assert [event.step for event in studio.of(PreviewMade)] == [0]
    assert "The preview at step 10 was interrupted." in [event.text for event in studio.of(LogMessage)]
    assert studio.train().reason == "done"


def test_stop_during_a_preview_saves_too(studio: Studio) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, PreviewMade) and event.step == 10:
            studio.control.stop()

    finished = studio.train(stop, save_embedding_every=0)
    assert (finished.reason, finished.step) == ("stopped", 10)
    assert files.load(studio.embedding_file).step == 10
