"""The WebUI's schedule types: the noise levels that a sampler goes through, from high to low."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from lib_ti.host.embedded.sampling.levels import Levels

Schedule = Callable[[Levels, int], torch.Tensor]
"""(levels, steps) to noise levels, usually (steps + 1,) with 0 as the last."""

AUTOMATIC, UNIFORM, KARRAS, EXPONENTIAL = "Automatic", "Uniform", "Karras", "Exponential"
_RHO = 7.0
"""Karras et al. 2022, table 1."""


def _uniform(levels: Levels, steps: int) -> torch.Tensor:
    return _to_zero(levels.evenly(steps))


def _karras(levels: Levels, steps: int) -> torch.Tensor:
    low, high = levels.lowest ** (1 / _RHO), levels.highest ** (1 / _RHO)
    return _to_zero((high + torch.linspace(0, 1, steps) * (low - high)) ** _RHO)


def _exponential(levels: Levels, steps: int) -> torch.Tensor:
    return _to_zero(torch.linspace(math.log(levels.highest), math.log(levels.lowest), steps).exp())


def _sgm_uniform(levels: Levels, steps: int) -> torch.Tensor:
    first, last = (float(levels.timestep(torch.tensor(sigma))) for sigma in (levels.highest, levels.lowest))
    return _to_zero(levels.sigma(torch.linspace(first, last, steps + 1)[:-1]))


def _normal(levels: Levels, steps: int) -> torch.Tensor:
    first, last = (float(levels.timestep(torch.tensor(sigma))) for sigma in (levels.highest, levels.lowest))
    return _to_zero(levels.sigma(torch.linspace(first, last, steps)))


def _simple(levels: Levels, steps: int) -> torch.Tensor:
    distance = len(levels.sigmas) / steps
    return _to_zero(levels.sigmas[[-(1 + int(step * distance)) for step in range(steps)]])


def _ddim(levels: Levels, steps: int) -> torch.Tensor:
    """Return one step more where the number of steps does not divide that of timesteps."""
    return _to_zero(levels.sigmas[1 :: max(len(levels.sigmas) // steps, 1)].flip(0))


def _kl_optimal(levels: Levels, steps: int) -> torch.Tensor:
    """Return levels that end at the lowest one, not at 0 (Sabour et al. 2024, eq. 6)."""
    share = torch.arange(steps + 1) / steps
    return torch.tan(share * math.atan(levels.lowest) + (1 - share) * math.atan(levels.highest))


def _to_zero(sigmas: torch.Tensor) -> torch.Tensor:
    return torch.cat([sigmas, torch.zeros(1)])


SCHEDULES: dict[str, Schedule] = {
    UNIFORM: _uniform,
    KARRAS: _karras,
    EXPONENTIAL: _exponential,
    "Polyexponential": _exponential,  # of the power 1, which is the WebUI's default
    "SGM Uniform": _sgm_uniform,
    "KL Optimal": _kl_optimal,
    "Simple": _simple,
    "Normal": _normal,
    "DDIM": _ddim,
}
