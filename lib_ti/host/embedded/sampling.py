"""Samples images' latents: the WebUI's samplers by diffusers' schedulers, with the same noise on every device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lib_ti import prompt_syntax
from lib_ti.errors import BadInput, Stopped
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.host.embedded.architecture import Architecture
from lib_ti.host.embedded.diffusers_classes import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    LCMScheduler,
)
from lib_ti.host.model import ImageRequest
from lib_ti.host.noise_schedule import TIMESTEPS
from lib_ti.host.request_checks import size_problems
from lib_ti.wording import quoted

AUTOMATIC, KARRAS, EXPONENTIAL, UNIFORM = "Automatic", "Karras", "Exponential", "Uniform"
_SIGMAS = {KARRAS: "use_karras_sigmas", EXPONENTIAL: "use_exponential_sigmas"}
"""diffusers' switches for noise schedules; without one it is uniform."""
_MAX_STEPS = 150

Denoise = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(latents (B, 4, h, w), timestep ()) to the guided prediction (B, 4, h, w)."""


@dataclass(frozen=True)
class _Sampler:
    """A scheduler's class with its settings, and the noise schedules it supports: the first is "Automatic"."""

    scheduler: type[Any]
    settings: Mapping[str, Any]
    schedules: tuple[str, ...]


# DPM++ has no exponential schedule here, since that of diffusers 0.31 runs backwards.
# k-diffusion spaces its steps evenly from timestep 999 down ("linspace"); CompVis' DDIM counts from 1 ("leading").
_SAMPLERS = {
    "Euler a": _Sampler(EulerAncestralDiscreteScheduler, {"timestep_spacing": "linspace"}, (UNIFORM,)),
    "Euler": _Sampler(EulerDiscreteScheduler, {"timestep_spacing": "linspace"}, (UNIFORM, KARRAS, EXPONENTIAL)),
    "Heun": _Sampler(HeunDiscreteScheduler, {"timestep_spacing": "linspace"}, (UNIFORM, KARRAS, EXPONENTIAL)),
    "DPM++ 2M": _Sampler(DPMSolverMultistepScheduler, {"timestep_spacing": "linspace"}, (KARRAS, UNIFORM)),
    "DPM++ 2M SDE": _Sampler(
        DPMSolverMultistepScheduler,
        {"timestep_spacing": "linspace", "algorithm_type": "sde-dpmsolver++"},
        (KARRAS, UNIFORM),
    ),
    "LCM": _Sampler(LCMScheduler, {}, (UNIFORM,)),
    "DDIM": _Sampler(
        DDIMScheduler,
        {"timestep_spacing": "leading", "steps_offset": 1, "clip_sample": False, "set_alpha_to_one": False},
        (UNIFORM,),
    ),
}
_NOISY = ("euler a", "dpm++ 2m sde", "lcm")
"""Samplers that add noise at each step; that of the WebUI's last two is drawn in another way."""
SAMPLERS = (*_SAMPLERS, "DPM++ 2M Karras", "Euler Karras")


def check_request(request: ImageRequest) -> None:
    """Raise :class:`BadInput` with all problems of a request."""
    problems = size_problems(request)
    if not 1 <= request.steps <= _MAX_STEPS:
        problems.append(f"{request.steps} sampling steps are not possible; use 1 to {_MAX_STEPS}.")
    if not 0 <= request.seed < 2**32:
        problems.append(f"The seed {request.seed} is not between 0 and {2**32 - 1}.")
    problems += () if request.literal else prompt_syntax.problems(request.prompt)
    problems += prompt_syntax.problems(request.negative_prompt, negative=True)
    try:
        _find(request.sampler, request.scheduler)
    except BadInput as error:
        problems += error.problems
    if problems:
        raise BadInput(problems)


def sample(
    requests: Sequence[ImageRequest], made: Architecture, denoise: Denoise, stop: Callable[[], bool] | None = None
) -> torch.Tensor:
    """Return latents (B, 4, h, w) float32 on the CPU for requests that differ in prompts and seed only.

    All noise comes from one CPU generator for each image, seeded by its request: an image does not depend on the
    device, on the others of its batch, or on a global random state, and changes none.
    """
    first = requests[0]
    generators = [torch.Generator().manual_seed(request.seed) for request in requests]
    shape = (1, 4, first.height // VAE_SCALE_FACTOR, first.width // VAE_SCALE_FACTOR)
    noise = torch.cat([torch.randn(shape, generator=generator) for generator in generators])
    scheduler = _scheduler(first, made)
    scheduler.set_timesteps(first.steps)
    takes_noise = first.sampler.casefold().startswith(_NOISY)
    options = {"generator": generators} if takes_noise else {}
    latents = noise * scheduler.init_noise_sigma
    for timestep, exact in zip(scheduler.timesteps, _exact_timesteps(scheduler), strict=True):
        if stop and stop():
            raise Stopped("The image was interrupted.")
        prediction = denoise(scheduler.scale_model_input(latents, timestep), exact)
        latents = scheduler.step(prediction, timestep, latents, **options).prev_sample
    return latents


def _scheduler(request: ImageRequest, made: Architecture) -> Any:
    sampler, schedule = _find(request.sampler, request.scheduler)
    settings = dict(sampler.settings)
    if schedule in _SIGMAS:
        settings[_SIGMAS[schedule]] = True
    scheduler = sampler.scheduler(
        num_train_timesteps=TIMESTEPS,
        beta_start=made.linear_start,
        beta_end=made.linear_end,
        beta_schedule="scaled_linear",
        prediction_type="epsilon" if made.prediction == "eps" else "v_prediction",
        **settings,
    )
    if made.zero_terminal_snr:
        scheduler.alphas_cumprod = made.alphas_cumprod()
    return scheduler


def _exact_timesteps(scheduler: Any) -> torch.Tensor:
    """Return the timesteps (steps,) that the UNet is told, which lie between two of training's in a Karras schedule.

    diffusers rounds them for DPM++, which k-diffusion does not. It matters for zero terminal SNR, where the
    noise grows by a factor of hundreds from the last timestep but one to the last.
    """
    if not (isinstance(scheduler, DPMSolverMultistepScheduler) and scheduler.config.use_karras_sigmas):
        return torch.as_tensor(scheduler.timesteps)
    schedule = scheduler.alphas_cumprod
    known = ((1 - schedule) / schedule).sqrt().log().numpy()
    exact = np.interp(scheduler.sigmas[:-1].log().numpy(), known, np.arange(TIMESTEPS))
    return torch.from_numpy(exact.astype(np.float32))


def _find(name: str, schedule: str) -> tuple[_Sampler, str]:
    """Return the sampler and noise schedule of two of the WebUI's names; their case does not matter."""
    # Up to 1.8 the WebUI had the schedule in the sampler's name.
    if name.casefold().endswith(f" {KARRAS.casefold()}"):
        name, schedule = name[: -len(KARRAS) - 1], KARRAS
    samplers = {known.casefold(): known for known in _SAMPLERS}
    known = samplers.get(name.casefold())
    if known is None:
        raise BadInput(f"Sampler {quoted(name)} is not known; use one of {', '.join(SAMPLERS)}.")
    sampler = _SAMPLERS[known]
    schedules = {one.casefold(): one for one in sampler.schedules} | {AUTOMATIC.casefold(): sampler.schedules[0]}
    if schedule.casefold() not in schedules:
        raise BadInput(
            f"Sampler {quoted(known)} has no scheduler {quoted(schedule)}; "
            f"use one of {AUTOMATIC}, {', '.join(sampler.schedules)}."
        )
    return sampler, schedules[schedule.casefold()]
