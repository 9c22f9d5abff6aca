"""Stable Diffusion's noise schedule."""

from __future__ import annotations

import torch
from torch import Tensor

STEPS = 1000


def betas() -> Tensor:
    """Return (1000,) float64: "scaled linear" from 0.00085 to 0.012."""
    return torch.linspace(0.00085**0.5, 0.012**0.5, STEPS, dtype=torch.float64) ** 2


def alphas_cumprod() -> Tensor:
    """Return (1000,) float32: the share of the image's variance that remains after each step."""
    return torch.cumprod(1 - betas(), 0).float()
