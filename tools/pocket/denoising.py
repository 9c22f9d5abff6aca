"""What the pocket models learn from: the error of predicted noise, and captions with strange words."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lib_ti.pocket.captions import caption
from lib_ti.pocket.diffusion import STEPS
from lib_ti.pocket.words import LENGTH, Words
from lib_ti.pocket.world import Spec

_SNR_LIMIT = 5.0
""""Min-SNR" weighting: nearly clean latents would otherwise contribute most of the gradient."""
_STRANGE_WORDS = 0.04
"""Share of captions with a word that means nothing, so that unknown words disturb little."""


def loss_of_noise(
    predict: Callable[[Tensor, Tensor], Tensor], latents: Tensor, remains: Tensor, generator: torch.Generator
) -> Tensor:
    """Return the weighted squared error of the predicted noise, with timesteps spread evenly over the batch.

    Parameters
    ----------
    predict
        Noisy latents (B, 4, 8, 8) and timesteps (B,) -> the noise in them; called in bfloat16 autocast.
    latents
        Clean latents (B, 4, 8, 8) in the UNet's scale.
    remains
        Share of the signal that remains at each timestep (1000,), as `alphas_cumprod`.
    """
    size = len(latents)
    spread = (torch.randperm(size, generator=generator) + torch.rand(size, generator=generator)) / size
    times = (spread * STEPS).long()
    share = remains[times]
    noise = torch.randn(latents.shape, generator=generator)
    noisy = share.sqrt().view(-1, 1, 1, 1) * latents + (1 - share).sqrt().view(-1, 1, 1, 1) * noise
    with torch.autocast("cpu", torch.bfloat16):
        output = predict(noisy, times)
    snr = share / (1 - share)
    weight = snr.clamp(max=_SNR_LIMIT) / snr
    return (weight * (output.float() - noise).square().mean((1, 2, 3))).mean()


def used_tokens(words: Words, specs: list[Spec]) -> Tensor:
    """Return the numbers of the tokens that captions are made of, in order."""
    captions = [caption(spec, seed) for seed, spec in enumerate(specs[:6000])]
    return words.encode(captions).unique()


def put_strange_words(tokens: Tensor, rng: random.Random) -> None:
    """Replace a token by any other in a few lines of tokens (B, 77), in place."""
    for line in tokens:
        if rng.random() < _STRANGE_WORDS:
            filled = int((line != line[-1]).sum())
            line[rng.randrange(1, min(filled, LENGTH - 2) + 1)] = rng.randrange(49_152)


class UsedWords(nn.Module):
    """An embedding table that trains only the words that captions use; the other 49,000 rows stay as initialized.

    It saves the optimizer's work on three million numbers that never receive a gradient.
    """

    table: Tensor
    place: Tensor
    used: Tensor

    def __init__(self, table: Tensor, used: Tensor) -> None:
        super().__init__()
        self.register_buffer("table", table.clone())
        self.register_buffer("place", torch.full((len(table),), -1))
        self.place[used] = torch.arange(len(used))
        self.register_buffer("used", used)
        self.rows = nn.Parameter(table[used].clone())

    def forward(self, tokens: Tensor) -> Tensor:
        place = self.place[tokens]
        return torch.where((place >= 0)[..., None], self.rows[place.clamp(min=0)], self.table[tokens])

    def full(self, rows: Tensor) -> Tensor:
        """Return the whole table (49408, width) with the trained `rows` in it."""
        table = self.table.clone()
        table[self.used] = rows
        return table
