"""The loss of words: in the place of the embedding, on the same noise, in parts where memory is short."""

from __future__ import annotations

import pytest
import torch

from lib_ti.host.clip.conditioning import TextConditioning
from lib_ti.host.model import Framing
from lib_ti.training.step import diffusion
from lib_ti.training.suggest.word_loss import NO_WORD, WordLoss, WordSample, prompt_with
from tests.fakes import FakeModel

WORDS = [NO_WORD, *(f"word{number}" for number in range(10))]


class Small(FakeModel):
    """Has memory for so many images at once."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def predict(self, noisy: torch.Tensor, timesteps: torch.Tensor, conditioning: TextConditioning) -> torch.Tensor:
        if len(noisy) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().predict(noisy, timesteps, conditioning)


def sample(number: int) -> WordSample:
    rng = diffusion.generator("sample", number)
    draw = diffusion.draw(rng, (1, 4, 4, 4))
    return WordSample(
        torch.randn(4, 4, 4, generator=rng), None, Framing.whole(32, 32), f"[name], a house {number}", draw
    )


SAMPLES = [sample(number) for number in range(3)]


def test_a_words_losses_do_not_depend_on_the_other_words() -> None:
    together = WordLoss(FakeModel())(WORDS, SAMPLES)
    assert together.shape == (11, 3)
    assert len({tuple(row.tolist()) for row in together}) == 11
    alone = torch.cat([WordLoss(FakeModel())([word], SAMPLES) for word in WORDS])
    torch.testing.assert_close(together, alone, rtol=1e-6, atol=0)


@pytest.mark.parametrize("room", [1, 3])
def test_a_pass_without_memory_is_computed_in_parts(room: int) -> None:
    counts: list[int] = []
    found = WordLoss(Small(room), counts.append)(WORDS, SAMPLES)
    torch.testing.assert_close(found, WordLoss(FakeModel())(WORDS, SAMPLES), rtol=1e-6, atol=0)
    assert counts[-1] == found.numel()


def test_a_single_image_that_is_too_much_is_an_error() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        WordLoss(Small(0))(WORDS, SAMPLES)


def test_no_word_leaves_no_gap() -> None:
    assert prompt_with("a photo of [name], a dog", "oil painting") == "a photo of oil painting, a dog"
    assert prompt_with("[name], a dog, in [name] style", NO_WORD) == "a dog, in style"
