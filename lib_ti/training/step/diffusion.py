"""Forward process, targets and loss of diffusion models.

The forward process is that of DDPM (Ho et al. 2020, eq. 4) with the model's own 1000-step schedule; the target is
the noise, or the velocity of Salimans and Ho 2022 for models trained on that. The loss is ours and never the
host's, so that all hosts train alike.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

TIMESTEPS = 1000


def generator(*key: object) -> torch.Generator:
    """Return a CPU generator seeded by ``key`` alone, equal on every machine: ``generator(seed, "step", 17)``."""
    digest = hashlib.blake2b("/".join(map(str, key)).encode(), digest_size=8).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)


@dataclass(frozen=True)
class Draw:
    """Random draws of one pass: ``timesteps`` (B,) int64 and ``noise`` (B, 4, h, w), on the CPU unless moved."""

    timesteps: Tensor
    noise: Tensor

    def to(self, device: torch.device) -> Draw:
        return Draw(self.timesteps.to(device, non_blocking=True), self.noise.to(device, non_blocking=True))


def draw(rng: torch.Generator, shape: tuple[int, ...]) -> Draw:
    """Sample uniform timesteps and normal noise for latents of ``shape`` (B, 4, h, w)."""
    timesteps = torch.randint(0, TIMESTEPS, shape[:1], generator=rng)
    return Draw(timesteps, torch.randn(shape, generator=rng))


def stratified_draw(rng: torch.Generator, shape: tuple[int, ...], *, index: int, total: int) -> Draw:
    """Sample as :func:`draw` for samples ``index`` … of ``total``, with timesteps spread evenly over the schedule.

    An even spread removes most of the noise from a loss that is computed again and again.
    """
    places = torch.arange(index, index + shape[0], dtype=torch.float64)
    timesteps = ((places + 0.5) * TIMESTEPS / total).long().clamp_(0, TIMESTEPS - 1)
    return Draw(timesteps, torch.randn(shape, generator=rng))


def add_noise(latents: Tensor, noise: Tensor, timesteps: Tensor, alphas_cumprod: Tensor) -> Tensor:
    """Return latents (B, 4, h, w) at ``timesteps`` (B,) of the forward process."""
    signal, sigma = _signal_and_noise(timesteps, alphas_cumprod)
    return signal * latents + sigma * noise


def target(prediction: str, latents: Tensor, noise: Tensor, timesteps: Tensor, alphas_cumprod: Tensor) -> Tensor:
    """Return what the model should predict: the noise for ``"eps"``, the velocity for ``"v"``."""
    if prediction == "eps":
        return noise
    signal, sigma = _signal_and_noise(timesteps, alphas_cumprod)
    return signal * noise - sigma * latents


def loss(predicted: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the mean squared error in float32, a scalar; ``weight`` (B, 1, h, w) has mean 1 over each image."""
    return _squared_error(predicted, target, weight).mean()


def loss_per_sample(predicted: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return :func:`loss` of each sample by itself: (B,)."""
    return _squared_error(predicted, target, weight).flatten(1).mean(1)


def _squared_error(predicted: Tensor, target: Tensor, weight: Tensor | None) -> Tensor:
    error = (predicted.float() - target.float()) ** 2
    return error if weight is None else error * weight


def _signal_and_noise(timesteps: Tensor, alphas_cumprod: Tensor) -> tuple[Tensor, Tensor]:
    alpha = alphas_cumprod[timesteps].view(-1, 1, 1, 1)
    return alpha.sqrt(), (1 - alpha).sqrt()
