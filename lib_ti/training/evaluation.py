"""Which step is best, and when training becomes overtraining.

The training loss is useless for both: noise and timestep drown it (its correlation with the true error is about 0,
as measured on a toy model). So the loss is measured on fixed samples: the same pictures, noise, timesteps and prompts
each time, after Voronov et al. 2023 (DVAR, arXiv 2302.04841), on pictures that are held out of training where there are
enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import Model
from lib_ti.training import diffusion

SAMPLES = 16
PASS = 8
"""Samples in one pass through the model, at most."""
SMALL = 4096
"""Latent places, those of one picture of 512 x 512, that a pass may always have."""
PATIENCE = 5
"""Checks without a new best after which training counts as overtraining."""
NEW_BEST = 0.998
"""A loss counts as a new best below this share of the best one; smaller differences are chance."""


@dataclass(frozen=True)
class Sample:
    """A picture's latents (4, h, w), its loss weight (1, h, w) or none, and its prompt."""

    latents: Tensor
    weight: Tensor | None
    prompt: str


class FixedLoss:
    """Denoising loss over fixed samples, noise and timesteps: a deterministic function of the embedding.

    Parameters
    ----------
    samples
        Taken in turn until there are :data:`SAMPLES`, or each once where there are more pictures than that.
    """

    def __init__(self, model: Model, samples: Sequence[Sample], *, seed: int, batch_size: int = PASS) -> None:
        self._model = model
        total = max(SAMPLES, len(samples))
        self._passes: list[tuple[list[str], Tensor, Tensor, diffusion.Draw]] = []
        rng = diffusion.generator(seed, "evaluation")
        # Which timestep meets which picture is shuffled, so that no picture stands for one part of the schedule.
        order = torch.randperm(total, generator=rng).tolist()
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for place in range(total):
            by_shape.setdefault(tuple(samples[order[place] % len(samples)].latents.shape), []).append(place)
        for shape, places in by_shape.items():
            # What fits in a step fits here; small pictures go through more at once.
            at_once = min(PASS, max(batch_size, SMALL // (shape[-1] * shape[-2])))
            for start in range(0, len(places), at_once):
                chosen = places[start : start + at_once]
                picked = [samples[order[place] % len(samples)] for place in chosen]
                one = [diffusion.stratified_draw(rng, (1, *shape), index=place, total=total) for place in chosen]
                drawn = diffusion.Draw(torch.cat([d.timesteps for d in one]), torch.cat([d.noise for d in one]))
                weights = torch.stack([s.weight if s.weight is not None else _ones(s.latents) for s in picked])
                self._passes.append(
                    ([s.prompt for s in picked], torch.stack([s.latents for s in picked]), weights, drawn)
                )

    @torch.no_grad()
    def __call__(self, embedding: Embedding) -> float:
        model, device = self._model, self._model.device
        total, count = torch.zeros((), device=device), 0
        for prompts, clean, weights, drawn in self._passes:
            latents, noise, timesteps, weight = (
                tensor.to(device, non_blocking=True) for tensor in (clean, drawn.noise, drawn.timesteps, weights)
            )
            noisy = diffusion.add_noise(latents, noise, timesteps, model.alphas_cumprod)
            predicted = model.predict(noisy, timesteps, model.encode_prompts(prompts, [embedding]))
            wanted = diffusion.target(model.info.prediction, latents, noise, timesteps, model.alphas_cumprod)
            total += diffusion.loss(predicted, wanted, weight) * len(prompts)
            count += len(prompts)
        return float(total) / count


def is_new_best(loss: float, best: float) -> bool:
    """Whether ``loss`` is clearly below ``best``; one that is not finite never is, and always beaten."""
    return math.isfinite(loss) and (not math.isfinite(best) or loss < best * NEW_BEST)


def is_overtraining(loss: float, best: float, checks_since_best: int, *, held_out: bool) -> bool:
    """Whether the embedding gets worse on pictures it has not seen; never said without such pictures."""
    return held_out and checks_since_best >= PATIENCE and loss > best / NEW_BEST


def norm_ratio(embedding: Embedding, vocabulary_norm: dict[str, float]) -> float:
    """Mean length of the vectors in units of an ordinary word's; long vectors overpower the rest of a prompt."""
    ratios = [float(v.detach().norm(dim=1).mean()) / vocabulary_norm[key] for key, v in embedding.vectors.items()]
    return sum(ratios) / len(ratios)


def _ones(latents: Tensor) -> Tensor:
    return torch.ones(1, *latents.shape[1:])
