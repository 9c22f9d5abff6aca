"""Sampling from a model whose answers are known exactly: that of images with normally distributed values."""

from __future__ import annotations

import itertools

import pytest
import torch

from lib_ti.errors import BadInput
from lib_ti.families.family import Prediction
from lib_ti.host.embedded.sampling.levels import Levels
from lib_ti.host.embedded.sampling.sample import sample
from lib_ti.host.embedded.sampling.samplers import find_sampler
from lib_ti.host.embedded.sampling.schedules import SCHEDULES
from lib_ti.host.model import ImageRequest
from lib_ti.host.noise_schedule import scaled_linear, with_zero_terminal_snr
from lib_ti.ui.tab import SAMPLERS

DEVIATION = 0.5
USUAL = scaled_linear(0.00085, 0.012)


def sampled(
    sampler: str,
    scheduler: str = "Automatic",
    *,
    prediction: Prediction = "eps",
    alphas: torch.Tensor = USUAL,
    steps: int = 60,
) -> tuple[torch.Tensor, int]:
    """Return sampled values and how often the model was asked."""
    levels, asked = Levels(alphas), 0

    def predict(latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        nonlocal asked
        asked += 1
        sigma = levels.sigma(timestep.float())
        x = latents * (sigma**2 + 1).sqrt()
        clean = x * DEVIATION**2 / (DEVIATION**2 + sigma**2)
        noise = (x - clean) / sigma
        return noise if prediction == "eps" else (noise - sigma * clean) / (sigma**2 + 1).sqrt()

    request = ImageRequest("", sampler=sampler, scheduler=scheduler, steps=steps, seed=3, width=256, height=256)
    return sample([request], alphas, prediction, predict), asked


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "LCM"])
@pytest.mark.parametrize("prediction", ["eps", "v"])
def test_every_sampler_gives_what_the_model_is_of(sampler: str, prediction: Prediction) -> None:
    for alphas in (USUAL, with_zero_terminal_snr(USUAL)):
        values, _ = sampled(sampler, prediction=prediction, alphas=alphas)
        assert values.std().item() == pytest.approx(DEVIATION, rel=0.15)
        assert values.mean().item() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("scheduler", SCHEDULES)
def test_every_schedule_type_goes_from_noise_to_an_image(scheduler: str) -> None:
    for sampler in ("Euler", "DPM++ 2M", "Euler a"):
        values, _ = sampled(sampler, scheduler)
        assert values.std().item() == pytest.approx(DEVIATION, rel=0.15)
    levels = Levels(USUAL)
    for steps in (1, 2, 12, 150):
        sigmas = SCHEDULES[scheduler](levels, steps)
        assert all(before > after for before, after in itertools.pairwise(sigmas.tolist()))
        assert sigmas[0].item() == pytest.approx(levels.highest, rel=0.02) or scheduler == "DDIM"
        assert sigmas[-1].item() < 0.05


def test_a_sampler_of_two_evaluations_a_step_asks_twice() -> None:
    asked = {name: sampled(name, steps=10)[1] for name in ("Euler", "Heun", "DPM++ SDE", "LCM", "DDIM")}
    assert asked == {"Euler": 10, "Heun": 19, "DPM++ SDE": 19, "LCM": 10, "DDIM": 9}


def test_one_step_is_possible_with_every_sampler() -> None:
    for sampler in SAMPLERS:
        assert sampled(sampler, steps=1)[0].isfinite().all()


def test_an_automatic_schedule_type_is_the_webuis() -> None:
    for sampler, schedule in (("DPM++ 2M", "Karras"), ("DPM++ 2M SDE", "Exponential"), ("Euler a", "Uniform")):
        assert torch.equal(sampled(sampler)[0], sampled(sampler, schedule)[0])
    assert torch.equal(sampled("DPM++ 2M Exponential")[0], sampled("dpm++ 2m", "exponential")[0])


def test_ddim_has_no_schedule_types() -> None:
    with pytest.raises(BadInput, match="'DDIM' has no scheduler 'Karras'"):
        find_sampler("DDIM", "Karras")
