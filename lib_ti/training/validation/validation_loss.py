"""The validation loss: the denoising loss on the same images, noise, timesteps and prompts each time.

The training loss says neither which step is best nor when training becomes overtraining: noise and timestep drown it
(its correlation with the true error is about 0, as measured on a toy model). So the loss is computed on fixed samples,
after Voronov et al. 2023 (DVAR, arXiv 2302.04841), on validation images where there are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.model import Conditioning, Conditions, Framing, Model
from lib_ti.training.memory.at_once import AtOnce
from lib_ti.training.step import diffusion
from lib_ti.training.step.objective import DenoisingObjective, Objective

SAMPLES = 32
"""Samples of a check: with 16, half as many more runs have a step called best that is not."""
DEFAULT_OBJECTIVE = DenoisingObjective()
PASS = 8
"""Samples in one pass through the model, at most."""
SMALL = 4096
"""Latent pixels, those of one image of 512 x 512, that a pass may always have."""


@dataclass(frozen=True)
class Sample:
    """An image's latents (4, h, w), its loss weight (1, h, w) or none, its prompt and its framing."""

    latents: Tensor
    weight: Tensor | None
    prompt: str
    framing: Framing


class ValidationLoss:
    """Denoising loss of each of a fixed set of samples: a deterministic function of the embedding.

    Parameters
    ----------
    samples
        Taken in turn until there are ``count``, or each once where there are more images than that. Their order decides
        which noise each gets.
    """

    def __init__(
        self,
        model: Model,
        samples: Sequence[Sample],
        *,
        seed: int,
        batch_size: int = PASS,
        count: int = SAMPLES,
        objective: Objective = DEFAULT_OBJECTIVE,
    ) -> None:
        self._model, self._objective = model, objective
        self._at_once = AtOnce(model.device, PASS)
        self.count = total = max(count, len(samples))
        self._passes: list[tuple[Conditions, Tensor, Tensor, diffusion.Draw]] = []
        rng = diffusion.generator(seed, "evaluation")
        # Timesteps are shuffled over images, so that no image represents one part of the schedule.
        order = torch.randperm(total, generator=rng).tolist()
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for place in range(total):
            by_shape.setdefault(tuple(samples[order[place] % len(samples)].latents.shape), []).append(place)
        for shape, places in by_shape.items():
            # What fits in a step fits here; small images go through more at once.
            at_once = min(PASS, max(batch_size, SMALL // (shape[-1] * shape[-2])))
            for start in range(0, len(places), at_once):
                chosen = places[start : start + at_once]
                picked = [samples[order[place] % len(samples)] for place in chosen]
                draws = [diffusion.stratified_draw(rng, (1, *shape), index=place, total=total) for place in chosen]
                draw = diffusion.Draw(torch.cat([d.timesteps for d in draws]), torch.cat([d.noise for d in draws]))
                weights = torch.stack([s.weight if s.weight is not None else _ones(s.latents) for s in picked])
                conditions = Conditions([s.prompt for s in picked], [s.framing for s in picked])
                self._passes.append((conditions, torch.stack([s.latents for s in picked]), weights, draw))

    @torch.no_grad()
    def __call__(self, embedding: Embedding) -> list[float]:
        """Return the losses of all samples, in the same order each time; read from the device once."""
        model, device = self._model, self._model.device
        losses = []
        for conditions, clean, weights, draw in self._passes:
            latents, weight = (tensor.to(device, non_blocking=True) for tensor in (clean, weights))
            conditioning = model.encode_prompts(conditions, [embedding])
            losses.append(self._losses(latents, weight, draw.to(device), conditioning))
        read: list[float] = torch.cat(losses).tolist()
        return read

    def _losses(self, latents: Tensor, weight: Tensor, draw: diffusion.Draw, conditioning: Conditioning) -> Tensor:
        """Return the losses of a pass, (B,), in parts where the memory is short."""

        def losses(at_once: int) -> Tensor:
            found = []
            for place, part in enumerate(conditioning.split(at_once)):
                here = slice(place * at_once, (place + 1) * at_once)
                drawn = diffusion.Draw(draw.timesteps[here], draw.noise[here])
                found.append(self._objective.loss_per_sample(self._model, latents[here], weight[here], drawn, part))
            return torch.cat(found)

        return self._at_once(len(latents), losses)


def norm_ratio(embedding: Embedding, vocabulary_norm: dict[str, float]) -> float:
    """Return the mean length of the vectors in units of an ordinary word's; long ones overpower a prompt."""
    ratios = [float(v.detach().norm(dim=1).mean()) / vocabulary_norm[key] for key, v in embedding.vectors.items()]
    return sum(ratios) / len(ratios)


def _ones(latents: Tensor) -> Tensor:
    return torch.ones(1, *latents.shape[1:])
