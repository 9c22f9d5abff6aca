"""The denoising loss with a word in the place of the embedding, on the same images, noise and timesteps for all words.

Random draws that all candidates have in common make their losses comparable with few samples: what differs between
images and timesteps cancels in the paired difference of two words.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from lib_ti.data.dataset import Dataset, Item
from lib_ti.data.framing import framing_of
from lib_ti.data.latents import Latents
from lib_ti.data.templates import render
from lib_ti.host.model import Conditions, Framing, Model
from lib_ti.placeholders import NAME, with_name, without
from lib_ti.training.memory.at_once import AtOnce
from lib_ti.training.step import diffusion
from lib_ti.training.step.objective import DenoisingObjective

NO_WORD = ""
"""The candidate that leaves the embedding's place in the prompt empty."""
MOST_AT_ONCE = 64
"""Words in one pass through the model, at most."""
LATENT_PIXELS = 8 * 4096
"""Latent pixels in one pass: those of eight images of 512 x 512."""
EARLIEST, LATEST = 0.15, 0.85
"""Part of the schedule that timesteps are taken from: near its ends no word changes what the model predicts."""


@dataclass(frozen=True)
class WordSample:
    """Latents (4, h, w) of an image, its loss weight (1, h, w) or none, its prompt with ``[name]``, one random draw."""

    latents: Tensor
    weight: Tensor | None
    framing: Framing
    prompt: str
    draw: diffusion.Draw


def word_samples(
    items: Sequence[Item], dataset: Dataset, encoded: Latents, lines: Sequence[str], *, count: int, seed: int
) -> list[WordSample]:
    """Return samples of images and template lines in turn, of which every first part covers the schedule evenly.

    Parameters
    ----------
    items
        Images of ``dataset``, in the order of their use.
    """
    samples = []
    for index in range(count):
        item = items[index % len(items)]
        line, rng = lines[index % len(lines)], diffusion.generator(seed, "word", index)
        share = EARLIEST + (LATEST - EARLIEST) * _van_der_corput(index + 2)
        timesteps = torch.tensor([int(share * diffusion.TIMESTEPS)])
        latents = encoded[item]
        noise = torch.randn((1, *latents.mean.shape), generator=rng)
        prompt = render(line, NAME, item.caption, shuffle_tags=False, tag_dropout=0.0, rng=random.Random(0))
        framing = framing_of(item, dataset.rules.resize)
        draw = diffusion.Draw(timesteps, noise)
        samples.append(WordSample(latents.mean, latents.weight, framing, prompt, draw))
    return samples


class WordLoss:
    """Losses of words on samples.

    Parameters
    ----------
    progress
        Called with the losses computed so far; may raise to stop.
    """

    def __init__(self, model: Model, progress: Callable[[int], object] = int) -> None:
        self._model, self._progress = model, progress
        self._objective = DenoisingObjective()
        self._computed = 0
        self._at_once = AtOnce(model.device, MOST_AT_ONCE)

    @torch.no_grad()
    def __call__(self, words: Sequence[str], samples: Sequence[WordSample]) -> Tensor:
        """Return the losses (words, samples), float64 on the CPU."""
        columns = [torch.cat(self._column(words, sample)).double() for sample in samples]
        return torch.stack(columns, dim=1)

    def _column(self, words: Sequence[str], sample: WordSample) -> list[Tensor]:
        most = max(1, LATENT_PIXELS // sample.latents[0].numel())
        found: list[Tensor] = []
        done = 0
        while done < len(words):
            losses = self._at_once(min(most, len(words) - done), partial(self._first_losses, words[done:], sample))
            found.append(losses)
            done += len(losses)
            self._computed += len(losses)
            self._progress(self._computed)
        return found

    def _first_losses(self, words: Sequence[str], sample: WordSample, count: int) -> Tensor:
        return self._losses(words[:count], sample).cpu()

    def _losses(self, words: Sequence[str], sample: WordSample) -> Tensor:
        model, count = self._model, len(words)

        def repeated(tensor: Tensor) -> Tensor:
            return tensor.to(model.device, non_blocking=True).expand(count, *tensor.shape)

        conditions = Conditions([prompt_with(sample.prompt, word) for word in words], [sample.framing] * count)
        draw = diffusion.Draw(repeated(sample.draw.timesteps[0]), repeated(sample.draw.noise[0]))
        weight = None if sample.weight is None else repeated(sample.weight)
        conditioning = model.encode_prompts(conditions, [])
        return self._objective.loss_per_sample(model, repeated(sample.latents), weight, draw, conditioning)


def prompt_with(prompt: str, word: str) -> str:
    """Return a prompt with a word in the place of ``[name]``, or without the gap for :data:`NO_WORD`."""
    return without(prompt) if word == NO_WORD else with_name(prompt, word)


def _van_der_corput(index: int) -> float:
    """Return the number in 0..1 whose binary digits are those of ``index`` reversed: 1 gives 1/2, 2 1/4, 3 3/4."""
    value, place = 0.0, 0.5
    while index:
        value, place, index = value + place * (index & 1), place / 2, index >> 1
    return value
