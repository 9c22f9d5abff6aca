"""Run by the WebUI's Python with its k-diffusion: our steps of samplers with Brownian noise against its own.

The noise of both comes from one Brownian motion in the noise level, which each asks for in its own way; prints the
largest differences by sampler as JSON.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from k_diffusion import sampling

from lib_ti.host.embedded.sampling import steps

OURS = {
    "dpmpp_sde": steps.dpmpp_sde,
    "dpmpp_2m_sde": steps.dpmpp_2m_sde,
    "dpmpp_2m_sde_heun": steps.dpmpp_2m_sde_heun,
    "dpmpp_3m_sde": steps.dpmpp_3m_sde,
}


def denoised(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    return torch.tanh(x) / (1 + sigma**2)


def model(x: torch.Tensor, sigma: torch.Tensor, **_: Any) -> torch.Tensor:
    return denoised(x, sigma[0])


class Brownian:
    """k-diffusion's noise from the same numbers as ours: normal increments, one for each part of a step."""

    def __init__(self, seed: int, shape: torch.Size) -> None:
        self._generator, self._shape = torch.Generator().manual_seed(seed), shape
        self._part: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None  # (begin, end, increment)

    def normal(self) -> torch.Tensor:
        return torch.randn(self._shape, generator=self._generator)

    def __call__(self, sigma: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        if self._part is not None and torch.isclose(self._part[0], sigma):
            _, middle, increment = self._part
            self._part = None
            return (increment + self.normal() * (middle - after).sqrt()) / (sigma - after).sqrt()
        first = self.normal()
        self._part = sigma, after, first * (sigma - after).sqrt()
        return first


def main() -> None:
    x = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1)) * 14.6
    sigmas = sampling.get_sigmas_karras(12, 0.03, 14.6)
    found = {}
    for name, ours in OURS.items():
        options = {"solver_type": "heun"} if name.endswith("heun") else {}
        theirs = getattr(sampling, f"sample_{name.removesuffix('_heun')}")
        expected = theirs(model, x, sigmas, noise_sampler=Brownian(7, x.shape), disable=True, **options)
        found[name] = float((ours(denoised, x, sigmas, Brownian(7, x.shape).normal) - expected).abs().max())
    print(json.dumps(found))  # noqa: T201


main()
