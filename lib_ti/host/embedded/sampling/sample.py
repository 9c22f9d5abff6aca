"""Samples images' latents."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from lib_ti.errors import Stopped
from lib_ti.families.family import VAE_SCALE_FACTOR, Prediction
from lib_ti.host.embedded.sampling import steps
from lib_ti.host.embedded.sampling.levels import LcmLevels, Levels
from lib_ti.host.embedded.sampling.samplers import Sampler, find_sampler
from lib_ti.host.embedded.sampling.schedules import SCHEDULES
from lib_ti.host.model import ImageRequest
from lib_ti.host.noise_schedule import TIMESTEPS

Denoise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(latents (B, 4, h, w), timestep ()) to the guided prediction (B, 4, h, w)."""
_LCM_SCALING, _LCM_DATA = 10.0, 0.5
"""Constants of consistency models (Song et al. 2023, appendix C)."""


def sample(
    requests: Sequence[ImageRequest],
    alphas_cumprod: torch.Tensor,
    prediction: Prediction,
    denoise: Denoise,
    stop: Callable[[], bool] | None = None,
) -> torch.Tensor:
    """Return latents (B, 4, h, w) float32 on the CPU for requests that differ in prompts and seed only.

    All noise comes from one CPU generator for each image, seeded by its request: an image does not depend on the
    device, on the others of its batch, or on a global random state, and changes none.
    """
    first = requests[0]
    generators = [torch.Generator().manual_seed(request.seed) for request in requests]
    shape = (1, 4, first.height // VAE_SCALE_FACTOR, first.width // VAE_SCALE_FACTOR)

    def noise() -> torch.Tensor:
        return torch.cat([torch.randn(shape, generator=generator) for generator in generators])

    def interruptible(latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        if stop and stop():
            raise Stopped("The image was interrupted.")
        return denoise(latents, timestep)

    alphas = alphas_cumprod.cpu().float()
    sampler, schedule = find_sampler(first.sampler, first.scheduler)
    if sampler.steps is None:
        return _ddim(interruptible, prediction, noise(), alphas, first.steps)
    levels = sampler.levels(alphas)
    sigmas = _sigmas(sampler, schedule, levels, first.steps)
    return sampler.steps(_denoised(interruptible, prediction, levels), noise() * sigmas[0], sigmas, noise)


def _sigmas(sampler: Sampler, schedule: str, levels: Levels, count: int) -> torch.Tensor:
    if not sampler.drops_last_but_one:
        return SCHEDULES[schedule](levels, count)
    sigmas = SCHEDULES[schedule](levels, count + 1)
    return torch.cat([sigmas[:-2], sigmas[-1:]])


def _denoised(predict: Denoise, prediction: Prediction, levels: Levels) -> steps.Denoised:
    """Return the model as a function of the noise level."""

    def denoised(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        signal = 1 / (sigma**2 + 1).sqrt()
        timestep = levels.timestep(sigma)
        predicted = predict(x * signal, timestep)
        clean = x * signal**2 - predicted * sigma * signal if prediction == "v" else x - predicted * sigma
        return _with_boundary(clean, x, timestep) if isinstance(levels, LcmLevels) else clean

    return denoised


def _with_boundary(clean: torch.Tensor, x: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
    """Return x itself at timestep 0, and nearly the clean image elsewhere."""
    scaled = timestep * _LCM_SCALING
    kept = _LCM_DATA**2 / (scaled**2 + _LCM_DATA**2)
    return scaled / (scaled**2 + _LCM_DATA**2) ** 0.5 * clean + kept * x


def _ddim(predict: Denoise, prediction: Prediction, x: torch.Tensor, alphas: torch.Tensor, count: int) -> torch.Tensor:
    """Take DDIM's deterministic steps (Song et al. 2021, eq. 12) as the WebUI spaces them.

    It is at the timesteps 1, 1 + 1000 // count and so on, of which it steps from each but the first.
    """
    timesteps = torch.arange(0, TIMESTEPS, TIMESTEPS // count).add(1).clamp(max=TIMESTEPS - 1)
    if len(timesteps) == 1:
        timesteps = torch.tensor([1, TIMESTEPS - 1])
    for timestep, after in zip(timesteps.flip(0)[:-1], timesteps.flip(0)[1:], strict=True):
        signal, deviation = alphas[timestep].sqrt(), (1 - alphas[timestep]).sqrt()
        predicted = predict(x, timestep)
        noise = signal * predicted + deviation * x if prediction == "v" else predicted
        clean = (x - deviation * noise) / signal
        x = alphas[after].sqrt() * clean + (1 - alphas[after]).sqrt() * noise
    return x
