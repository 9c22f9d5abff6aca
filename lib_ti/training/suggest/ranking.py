"""Successive halving: all candidates on few samples, the best of them on more, the finalists on samples of their own.

A ranking by few samples picks words that were lucky on these, the more the more words there are: of 2,000 alike, the
best is 3.5 standard errors ahead. So the finalists are judged on samples that had no part in choosing them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lib_ti.training.suggest.word_loss import NO_WORD, WordSample

Losses = Callable[[Sequence[str], Sequence[WordSample]], Tensor]
"""See :class:`lib_ti.training.suggest.word_loss.WordLoss`."""
ROUNDS = ((2, 5), (6, 40), (16, 250))
"""Samples that were seen at the end of each round, and which part of all candidates is kept: one of 5, of 40, of 250.
"""
FEWEST = 8
"""Finalists, at least."""
SAMPLES = ROUNDS[-1][0]
FINAL_SAMPLES = 96
"""Samples of the finalists. A word for a shape acts at few timesteps, so that 32 leave its gain within three errors."""


@dataclass(frozen=True)
class Ranking:
    """Losses of the finalists, the best first, and what is needed to judge them.

    Parameters
    ----------
    losses
        (finalists, samples) on samples that had no part in choosing the finalists.
    no_word
        (samples,), the losses without a word on the same.
    no_prompt
        (samples,), the losses with an empty prompt on the same.
    field
        (candidates and controls,), their gains in the first round, see :func:`gains`.
    compared
        Candidates without controls.
    """

    words: tuple[str, ...]
    losses: Tensor
    no_word: Tensor
    no_prompt: Tensor
    field: Tensor
    compared: int


def passes(candidates: int, controls: int = 0) -> int:
    """Return how many losses :func:`rank` computes: each of a word on a sample."""
    total, left, seen = SAMPLES + 2 * FINAL_SAMPLES + controls * ROUNDS[0][0], candidates, 0
    for samples, part in ROUNDS:
        total += left * (samples - seen)
        left, seen = _kept(candidates, part), samples
    return total + left * FINAL_SAMPLES


def rank(
    losses_of: Losses,
    candidates: Sequence[str],
    samples: Sequence[WordSample],
    final_samples: Sequence[WordSample],
    *,
    controls: Sequence[str] = (),
) -> Ranking:
    """Rank candidates by the loss with each in the place of the embedding.

    Parameters
    ----------
    samples
        :data:`SAMPLES` of them, for choosing the finalists.
    final_samples
        :data:`FINAL_SAMPLES` others, for judging them.
    controls
        Words that only show what ordinary words do, where there are few candidates.
    """
    no_word = losses_of([NO_WORD], samples)[0]
    words, seen = [*candidates, *controls], 0
    known = torch.empty(len(words), 0, dtype=torch.float64)
    field = torch.empty(0)
    for count, part in ROUNDS:
        known = torch.cat([known, losses_of(words, samples[seen:count])], dim=1)
        mean = gains(known, no_word[:count]).mean(dim=1)
        if not seen:
            field, mean = mean, mean[: len(candidates)]
        best = mean.argsort(descending=True)[: _kept(len(candidates), part)]
        words, known, seen = [words[place] for place in best.tolist()], known[best], count
    final = losses_of([NO_WORD, *words], final_samples)
    no_prompt = losses_of([NO_WORD], [replace(sample, prompt="") for sample in final_samples])[0]
    order = gains(final[1:], final[0]).mean(dim=1).argsort(descending=True)
    chosen = tuple(words[place] for place in order.tolist())
    return Ranking(chosen, final[1:][order], final[0], no_prompt, field, len(candidates))


def gains(losses: Tensor, no_word: Tensor) -> Tensor:
    """Return by how much losses (words, samples) are below those without a word, as logarithms of their ratios.

    Ratios give every sample the same weight; differences would be those of the few samples with the largest losses.
    A loss that is not finite counts as worse than all.
    """
    ratios = no_word.clamp_min(1e-12).log() - losses.clamp_min(1e-12).log()
    return ratios.nan_to_num(nan=-10.0, posinf=-10.0, neginf=-10.0)


def _kept(candidates: int, part: int) -> int:
    return min(candidates, max(FEWEST, candidates // part))
