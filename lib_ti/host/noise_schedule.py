"""Noise schedules: how much of an image is left at each timestep, the same for all hosts."""

from __future__ import annotations

import torch

TIMESTEPS = 1000
_LAST = 4.8973451890853435e-08
"""Last value of a schedule that ends in pure noise. Exactly 0 would divide by zero; the WebUI and ComfyUI have this."""


def scaled_linear(start: float, end: float) -> torch.Tensor:
    """Return (1000,) float32 of ldm's schedule "linear", which is linear in the square root of beta."""
    root = torch.linspace(start**0.5, end**0.5, TIMESTEPS, dtype=torch.float64)
    return torch.cumprod(1 - root**2, dim=0).float()


def with_zero_terminal_snr(alphas_cumprod: torch.Tensor) -> torch.Tensor:
    """Return a schedule rescaled so that nothing of the image is left at the end (Lin et al. 2023, algorithm 1)."""
    root = alphas_cumprod.double().sqrt()
    first, last = root[0], root[-1]
    rescaled = ((root - last) * (first / (first - last))) ** 2
    rescaled[-1] = _LAST
    return rescaled.to(alphas_cumprod.dtype)
