"""The validation loss where memory is short: parts of a pass give the same losses."""

from __future__ import annotations

import pytest
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.clip.conditioning import TextConditioning
from lib_ti.host.model import Framing
from lib_ti.training.step import diffusion
from lib_ti.training.validation.validation_loss import Sample, ValidationLoss
from tests.fakes import FakeModel


class Small(FakeModel):
    """Has memory for so many images at once."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def predict(self, noisy: torch.Tensor, timesteps: torch.Tensor, conditioning: TextConditioning) -> torch.Tensor:
        if len(noisy) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().predict(noisy, timesteps, conditioning)


def losses(model: FakeModel) -> list[float]:
    samples = [
        Sample(
            torch.randn(4, 4, 4, generator=diffusion.generator(place)), None, f"style {place}", Framing.whole(32, 32)
        )
        for place in range(3)
    ]
    return ValidationLoss(model, samples, seed=1)(Embedding("style", model.initial_vectors("red", 1)))


@pytest.mark.parametrize("room", [1, 3])
def test_a_pass_without_memory_is_computed_in_parts(room: int) -> None:
    assert losses(Small(room)) == pytest.approx(losses(FakeModel()), rel=1e-6)


def test_a_single_image_that_is_too_much_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        losses(Small(0))
