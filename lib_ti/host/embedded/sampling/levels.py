"""Noise levels of a model: training's timesteps, and the standard deviations of noise ("sigma") between them.

An image with noise of level sigma is the image itself plus noise, as k-diffusion has it; the model sees it divided by
sqrt(sigma² + 1).
"""

from __future__ import annotations

import torch

from lib_ti.host.noise_schedule import TIMESTEPS

_LCM_LEVELS = 50


class Levels:
    """Noise levels (levels,) float32 in ascending order, one for each timestep of training."""

    def __init__(self, alphas_cumprod: torch.Tensor) -> None:
        self.sigmas = ((1 - alphas_cumprod) / alphas_cumprod) ** 0.5
        self._logarithms = self.sigmas.log()

    @property
    def lowest(self) -> float:
        return float(self.sigmas[0])

    @property
    def highest(self) -> float:
        return float(self.sigmas[-1])

    def timestep(self, sigma: torch.Tensor) -> torch.Tensor:
        """Return the timestep () of a noise level (), between two of training's where it lies between theirs."""
        logarithm, known = sigma.log(), self._logarithms
        above = int(torch.searchsorted(known, logarithm.reshape(1))[0])
        low = min(max(above - 1, 0), len(known) - 2)
        share = ((logarithm - known[low]) / (known[low + 1] - known[low])).clamp(0, 1)
        return low + share

    def sigma(self, timestep: torch.Tensor) -> torch.Tensor:
        """Return the noise levels of timesteps, both of one shape."""
        low, high, share = timestep.floor().long(), timestep.ceil().long(), timestep.frac()
        return ((1 - share) * self._logarithms[low] + share * self._logarithms[high]).exp()

    def evenly(self, steps: int) -> torch.Tensor:
        """Return noise levels (steps,) of timesteps at equal distances from the last to the first."""
        return self.sigma(torch.linspace(len(self.sigmas) - 1, 0, steps))


class LcmLevels(Levels):
    """The 50 noise levels that latent consistency models are distilled at (Luo et al. 2023)."""

    _distance = TIMESTEPS // _LCM_LEVELS

    def __init__(self, alphas_cumprod: torch.Tensor) -> None:
        super().__init__(alphas_cumprod[self._distance - 1 :: self._distance])

    def timestep(self, sigma: torch.Tensor) -> torch.Tensor:
        nearest = (sigma.log() - self._logarithms).abs().argmin()
        return (nearest * self._distance + self._distance - 1).float()

    def sigma(self, timestep: torch.Tensor) -> torch.Tensor:
        index = (timestep - (self._distance - 1)) / self._distance
        return super().sigma(index.clamp(0, len(self.sigmas) - 1))

    def evenly(self, steps: int) -> torch.Tensor:
        return self.sigma(torch.linspace(TIMESTEPS - 1, self._distance - 1, steps))
