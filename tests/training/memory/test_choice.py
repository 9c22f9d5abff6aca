"""The choice of a memory set, on a model whose steps take what the test says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.model import Checkpointing
from lib_ti.training.memory import choice
from lib_ti.training.memory.choice import GB, MemoryChoice, choose
from lib_ti.training.memory.estimate import StepMemory
from lib_ti.training.memory.sets import MemorySet
from tests.fakes import FakeModel

NEEDED: dict[Checkpointing, float] = {"off": 6.0, "transformer-blocks": 1.5, "all-blocks": 0.5}
"""GB for each image, about those of SDXL at 1024 pixels."""
Choose = Callable[..., MemoryChoice]


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Chooses on a graphics card with so many GB free; trial steps that need more fail."""

    def choose_with(
        free: float, *, batch_size: int = 1, wanted: str = "auto", device: str = "cuda", autoencoder: float = 0
    ) -> MemoryChoice:
        model = FakeModel()
        model.autoencoder_bytes = int(autoencoder * GB)
        model.device, model.weight_bytes = torch.device(device), 5 * GB

        def estimated(model: FakeModel, *_: object, full: bool) -> StepMemory:
            needed = NEEDED[model.checkpointing]
            if full and needed > free + (autoencoder if model.autoencoder_away else 0):
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return StepMemory(needed * GB / 1.1, 0, 0)

        monkeypatch.setattr(choice, "estimate", estimated)
        monkeypatch.setattr(
            choice, "free_memory", lambda _: int((free + (autoencoder if model.autoencoder_away else 0)) * GB)
        )
        monkeypatch.setattr(choice, "release", lambda _: None)
        found = choose(
            model,
            Embedding("style", model.initial_vectors("red", 1)),
            "style",
            size=(1024, 1024),
            batch_size=batch_size,
            wanted=wanted,
        )
        assert (model.checkpointing, model.autoencoder_away) == ("off", False)
        return found

    return choose_with


@pytest.mark.parametrize(
    ("free", "batch_size", "wanted", "expected"),
    [
        (40, 4, "auto", ("off", 4)),
        (13, 4, "auto", ("off", 2)),
        (7, 4, "auto", ("off", 1)),
        (5, 4, "auto", ("transformer-blocks", 2)),
        (1, 4, "auto", ("all-blocks", 2)),
        (40, 4, "all-blocks", ("all-blocks", 4)),
        (2, 4, "transformer-blocks", ("transformer-blocks", 1)),
    ],
)
def test_the_fastest_that_fits_is_chosen(
    chosen: Choose, free: float, batch_size: int, wanted: str, expected: tuple[Checkpointing, int]
) -> None:
    found = chosen(free, batch_size=batch_size, wanted=wanted)
    assert found.fits
    assert found.chosen == MemorySet(*expected)
    assert {finding.kind for finding in found.findings()} == {"good"}


@pytest.mark.parametrize(
    ("free", "batch_size", "expected"),
    [
        (13, 2, ("off", 2, False)),
        (11.8, 2, ("off", 2, True)),
        (5.8, 2, ("off", 1, True)),
        (1.3, 1, ("transformer-blocks", 1, True)),
        (0.3, 1, ("all-blocks", 1, True)),
    ],
)
def test_the_autoencoder_makes_room_before_a_step_takes_longer(
    chosen: Choose, free: float, batch_size: int, expected: tuple[Checkpointing, int, bool]
) -> None:
    found = chosen(free, batch_size=batch_size, autoencoder=0.3)
    assert found.fits
    assert found.chosen == MemorySet(*expected)
    assert ("the autoencoder is in main memory while it is not used" in found.how) == expected[2]
    assert found.weights == pytest.approx((4.7 if expected[2] else 5) * GB)


def test_what_is_missing_is_an_error(chosen: Choose) -> None:
    found = chosen(0.25)
    error, *others = found.findings()
    assert (found.fits, found.chosen) == (False, MemorySet("all-blocks", 1))
    assert error.kind == "error"
    assert "A step needs about 537 MB of memory beside the model, and 268 MB are free on cuda: 268 MB are missing" in (
        error.text
    )
    assert error.text.endswith("Lower Width and Height, or close other programs that use the graphics card.")
    assert {finding.kind for finding in others} == {"info"}


def test_a_choice_by_hand_that_does_not_fit_is_pointed_out(chosen: Choose) -> None:
    error, *_ = chosen(3, wanted="off").findings()
    assert error.kind == "error"
    assert "Set Gradient checkpointing to auto" in error.text


def test_nothing_is_recomputed_in_main_memory(chosen: Choose) -> None:
    found = chosen(1, batch_size=2, device="cpu")
    assert found.chosen == MemorySet("off", 2)
    assert [finding.kind for finding in found.findings()] == ["warning", "info", "info"]


@pytest.mark.parametrize(
    ("free", "words"),
    [(40, "a graphics card of 12 GB has"), (2, "a graphics card of 8 GB has"), (0.6, "a graphics card of 8 GB has")],
)
def test_the_smallest_card_is_named(chosen: Choose, free: float, words: str) -> None:
    *_, card = chosen(free).findings()
    assert card.text.startswith("Model and step together need about ")
    assert words in card.text


def test_a_full_trial_that_ends_is_enough(chosen: Choose, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the last set, the allocator's losses are not counted on top of what was tried."""
    monkeypatch.setitem(NEEDED, "all-blocks", 0.55)
    found = chosen(0.56)
    assert found.fits
