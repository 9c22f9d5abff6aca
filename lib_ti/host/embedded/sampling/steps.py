"""The steps of k-diffusion's samplers, from one noise level to the next.

Latents x (B, 4, h, w) with noise of level sigma; ``denoised`` is what the model takes for the clean image. Time is
t = -log(sigma), as in the papers on DPM-Solver.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch

Tensor = torch.Tensor
Denoised = Callable[[Tensor, Tensor], Tensor]
"""(x (B, 4, h, w), sigma ()) to the clean latents (B, 4, h, w)."""
Noise = Callable[[], Tensor]
"""Returns standard normal noise (B, 4, h, w), other noise each time."""
Steps = Callable[[Denoised, Tensor, Tensor, Noise], Tensor]
"""(denoised, x at the first noise level, noise levels (steps + 1,), noise) to x at the last noise level."""

Earlier = list[tuple[Tensor, Tensor]]
"""(clean latents, length of the step in time) of at most two steps before, the latest first."""
Correction = Callable[[Tensor, Tensor, Tensor, Earlier], Tensor]
"""(x after a step of first order, clean latents, length of the step, earlier) to x."""


def euler(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:  # noqa: ARG001
    for sigma, after in pairwise(sigmas):
        x = _along(x, denoised(x, sigma), sigma, after)
    return x


def euler_ancestral(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    for sigma, after in pairwise(sigmas):
        down, up = _ancestral(sigma, after)
        x = _along(x, denoised(x, sigma), sigma, down)
        if after > 0:
            x = x + noise() * up
    return x


def heun(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:  # noqa: ARG001
    """Follow the mean of the slopes at both ends of a step (Karras et al. 2022, algorithm 1)."""
    for sigma, after in pairwise(sigmas):
        slope = (x - denoised(x, sigma)) / sigma
        end = x + slope * (after - sigma)
        if after > 0:
            slope = (slope + (end - denoised(end, after)) / after) / 2
            end = x + slope * (after - sigma)
        x = end
    return x


def dpm_2(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:  # noqa: ARG001
    for sigma, after in pairwise(sigmas):
        x = _by_the_middle(denoised, x, sigma, after)
    return x


def dpm_2_ancestral(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    for sigma, after in pairwise(sigmas):
        down, up = _ancestral(sigma, after)
        x = _by_the_middle(denoised, x, sigma, down)
        if down > 0:
            x = x + noise() * up
    return x


def dpmpp_2s_ancestral(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """DPM-Solver++(2S) with ancestral noise (Lu et al. 2022, algorithm 1)."""
    for sigma, after in pairwise(sigmas):
        down, up = _ancestral(sigma, after)
        clean = denoised(x, sigma)
        if down == 0:
            x = _along(x, clean, sigma, down)
        else:
            middle = (sigma * down).sqrt()
            between = _exponentially(x, clean, sigma, middle)
            x = _exponentially(x, denoised(between, middle), sigma, down)
        if after > 0:
            x = x + noise() * up
    return x


def dpmpp_sde(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """DPM-Solver++ for the stochastic equation, in two parts a step.

    The noise of the whole step contains that of its first part, as the increments of one Brownian motion.
    """
    for sigma, after in pairwise(sigmas):
        clean = denoised(x, sigma)
        if after == 0:
            x = _along(x, clean, sigma, after)
            continue
        middle = (sigma * after).sqrt()
        first, second = noise(), noise()
        whole = first * (sigma - middle).sqrt() + second * (middle - after).sqrt()
        down, up = _ancestral(sigma, middle)
        between = _exponentially(x, clean, sigma, down) + first * up
        down, up = _ancestral(sigma, after)
        clean = denoised(between, middle)
        x = _exponentially(x, clean, sigma, down) + whole / (sigma - after).sqrt() * up
    return x


def dpmpp_2m(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:  # noqa: ARG001
    """DPM-Solver++(2M), which uses the previous step's result (Lu et al. 2022, algorithm 2)."""
    times = -sigmas.log()
    before = None
    for index in range(len(sigmas) - 1):
        sigma, after = sigmas[index], sigmas[index + 1]
        clean = denoised(x, sigma)
        target = clean
        if before is not None and after > 0:
            ratio = (times[index] - times[index - 1]) / (times[index + 1] - times[index])
            target = (1 + 1 / (2 * ratio)) * clean - 1 / (2 * ratio) * before
        x = _exponentially(x, target, sigma, after)
        before = clean
    return x


def dpmpp_2m_sde(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """DPM-Solver++(2M) for the stochastic equation, in its form "midpoint"."""
    return _multistep_sde(denoised, x, sigmas, noise, partial(_second_order, lambda step: 0.5 * -(-step).expm1()))


def dpmpp_2m_sde_heun(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """As :func:`dpmpp_2m_sde`, in its form "heun"."""
    return _multistep_sde(denoised, x, sigmas, noise, partial(_second_order, _phi_2))


def dpmpp_3m_sde(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """DPM-Solver++(3M) for the stochastic equation, which uses the results of two previous steps."""
    return _multistep_sde(denoised, x, sigmas, noise, _third_order)


def lcm(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise) -> Tensor:
    """Take the clean image at each step, and add noise of the next level."""
    for sigma, after in pairwise(sigmas):
        x = denoised(x, sigma)
        if after > 0:
            x = x + noise() * after
    return x


def _multistep_sde(denoised: Denoised, x: Tensor, sigmas: Tensor, noise: Noise, correct: Correction) -> Tensor:
    """Take steps of first order, corrected by the results of previous ones."""
    times = -sigmas.log()
    earlier: Earlier = []
    for index in range(len(sigmas) - 1):
        clean = denoised(x, sigmas[index])
        if sigmas[index + 1] == 0:
            return clean
        length = times[index + 1] - times[index]
        step = 2 * length
        x = (-step).exp() * x - (-step).expm1() * clean
        if earlier:
            x = correct(x, clean, length, earlier)
        x = x + noise() * sigmas[index + 1] * (-(-step).expm1()).sqrt()
        earlier = [(clean, length), *earlier[:1]]
    return x


def _second_order(
    weight: Callable[[Tensor], Tensor], x: Tensor, clean: Tensor, length: Tensor, earlier: Earlier
) -> Tensor:
    """Correct a step by the previous one's result, whose weight depends on the step."""
    before, last = earlier[0]
    return x + weight(2 * length) * (clean - before) * length / last


def _third_order(x: Tensor, clean: Tensor, length: Tensor, earlier: Earlier) -> Tensor:
    """Correct a step by the results of the two before it, as far as there are two."""
    if len(earlier) == 1:
        return _second_order(_phi_2, x, clean, length, earlier)
    (before, last), (long_before, last_but_one) = earlier
    step, near, far = 2 * length, last / length, last_but_one / length
    slope, former = (clean - before) / near, (before - long_before) / far
    bend = (slope - former) / (near + far)
    return x + _phi_2(step) * (slope + bend * near) - (_phi_2(step) / step - 0.5) * bend


def _along(x: Tensor, clean: Tensor, sigma: Tensor, after: Tensor) -> Tensor:
    """Follow the slope at ``sigma`` to another noise level."""
    return x + (x - clean) / sigma * (after - sigma)


def _exponentially(x: Tensor, clean: Tensor, sigma: Tensor, after: Tensor) -> Tensor:
    """Go to another noise level with the clean image held constant."""
    ratio = after / sigma
    return ratio * x - (ratio - 1) * clean


def _by_the_middle(denoised: Denoised, x: Tensor, sigma: Tensor, after: Tensor) -> Tensor:
    """Follow the slope of the middle of a step, in the logarithm of the noise level (DPM-Solver-2)."""
    clean = denoised(x, sigma)
    if after == 0:
        return _along(x, clean, sigma, after)
    middle = (sigma * after).sqrt()
    between = _along(x, clean, sigma, middle)
    return x + (between - denoised(between, middle)) / middle * (after - sigma)


def _ancestral(sigma: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Return the noise level to go down to, and that of new noise, which together have the level ``after``."""
    up = torch.minimum(after, (after**2 * (sigma**2 - after**2) / sigma**2) ** 0.5)
    return (after**2 - up**2) ** 0.5, up


def _phi_2(step: Tensor) -> Tensor:
    return (-step).expm1() / step + 1
