"""Successive halving, and which words stand out, on losses of made-up words."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from lib_ti.host.model import Framing
from lib_ti.training.step import diffusion
from lib_ti.training.suggest.ranking import FINAL_SAMPLES, SAMPLES, passes, rank
from lib_ti.training.suggest.suggestions import Suggestions, judge
from lib_ti.training.suggest.word_loss import NO_WORD, WordSample

NONSENSE = [f"word{number}" for number in range(2000)]


def samples(count: int, name: str) -> list[WordSample]:
    draw = diffusion.Draw(torch.zeros(1, dtype=torch.long), torch.zeros(1, 4, 1, 1))
    return [
        WordSample(torch.zeros(4, 1, 1), None, Framing.whole(8, 8), f"{name} {number}", draw) for number in range(count)
    ]


class Losses:
    """Losses around 0.03, with noise by word and sample; ``effects`` are factors of words."""

    def __init__(self, effects: dict[str, float], noise: float = 0.05) -> None:
        self.effects, self.noise = effects, noise
        self.computed = 0

    def __call__(self, words: Sequence[str], of: Sequence[WordSample]) -> Tensor:
        self.computed += len(words) * len(of)
        return torch.tensor([[self._loss(word, sample.prompt) for sample in of] for word in words], dtype=torch.float64)

    def _loss(self, word: str, sample: str) -> float:
        image = 0.03 * random.Random(sample).uniform(0.3, 3)
        noise = 0.0 if word == NO_WORD else random.Random(f"{word} {sample}").gauss(0, self.noise)
        return image * self.effects.get(word, 1.0) * (1 + noise)


def suggestions(losses: Losses, words: Sequence[str], controls: Sequence[str] = ()) -> Suggestions:
    ranked = rank(losses, words, samples(SAMPLES, "first"), samples(FINAL_SAMPLES, "final"), controls=controls)
    return judge(ranked, [1] * len(ranked.words))


def test_a_word_that_helps_is_found_with_its_margins() -> None:
    losses = Losses({"striped": 0.6, "banded": 0.75})
    found = suggestions(losses, [*NONSENSE, "striped", "banded"])
    assert [word.text for word in found.words] == ["striped", "banded"]
    first = found.words[0]
    assert first.gain == pytest.approx(0.4, abs=3 * first.error)
    assert first.ahead == pytest.approx(0.2, abs=3 * first.ahead_error)
    assert losses.computed == passes(2002)
    assert "2 words of 2002 stand out" in found.describe()[0]
    assert "striped" in found.describe()[1]


@pytest.mark.parametrize("seed", range(3))
def test_the_luckiest_of_many_words_does_not_stand_out(seed: int) -> None:
    found = suggestions(Losses({}, noise=0.1), [f"{seed} {word}" for word in NONSENSE])
    assert not found.words
    assert found.describe()[0].startswith("None of these words helps: with the best of 2000")


def test_a_field_of_small_real_effects_does_not_stand_out() -> None:
    effects = {word: random.Random(word).gauss(1, 0.03) for word in NONSENSE}
    assert not suggestions(Losses(effects), NONSENSE).words


def test_few_words_are_judged_by_how_controls_do() -> None:
    losses = Losses({"striped": 0.5, "banded": 0.6, "word1": 0.4})
    found = suggestions(losses, ["other", "striped", "banded"], NONSENSE[:200])
    assert [word.text for word in found.words] == ["striped", "banded"]
    assert (found.compared, losses.computed) == (3, passes(3, 200))
    assert not suggestions(Losses({}), ["alone"], NONSENSE[:200]).words


def test_a_loss_that_is_not_finite_is_the_worst() -> None:
    found = suggestions(Losses({"broken": float("nan"), "striped": 0.6}), [*NONSENSE[:100], "broken", "striped"])
    assert [word.text for word in found.words] == ["striped"]
