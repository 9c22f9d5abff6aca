"""Stable Diffusion 1's noise schedule, and a small batched DDIM sampler for the pocket model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import Module

from . import architecture
from .words import Words

STEPS = 1000


def betas() -> Tensor:
    """Return (1000,) float64: "scaled linear" from 0.00085 to 0.012."""
    return torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64) ** 2


def alphas_cumprod() -> Tensor:
    """Return (1000,) float32: the share of the image's variance that remains after each step."""
    return torch.cumprod(1 - betas(), 0).float()


@torch.inference_mode()
def sample(
    unet: Module, text: Module, words: Words, captions: Sequence[str], seed: int, steps: int = 20, guidance: float = 4.0
) -> Tensor:
    """Sample latents (B, 4, 8, 8) for the captions by DDIM (eta 0) with classifier-free guidance, in the UNet's scale.

    Image number i depends on `seed` + i and its caption only.
    """
    count = len(captions)
    kept = alphas_cumprod()
    context = text(words.encode([*captions, *[""] * count]))[0]
    noise = [torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(seed + i)) for i in range(count)]
    latents = torch.stack(noise)
    times = (torch.arange(steps, 0, -1) * (STEPS // steps) - STEPS // steps + 1).tolist()
    for now, later in zip(times, [*times[1:], None], strict=True):
        prediction = unet(torch.cat([latents, latents]), torch.tensor(now), context).sample
        conditional, unconditional = prediction.float().chunk(2)
        epsilon = unconditional + guidance * (conditional - unconditional)
        clean = (latents - (1 - kept[now]).sqrt() * epsilon) / kept[now].sqrt()
        share = kept[later] if later is not None else torch.tensor(1.0)
        latents = share.sqrt() * clean + (1 - share).sqrt() * epsilon
    return latents


@torch.inference_mode()
def decode(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    """Decode latents (B, 4, 8, 8) in the UNet's scale to images (B, 64, 64, 3) uint8."""
    pixels = vae.decode(latents / architecture.SCALE_FACTOR).sample.float()
    return ((pixels.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1)
