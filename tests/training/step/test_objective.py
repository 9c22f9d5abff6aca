"""Models that predict the velocity: target, sign and loss against references that are computed another way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from statistics import fmean
from typing import Any

import pytest
import torch
from diffusers import DDPMScheduler
from torch import Tensor

from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.model import Conditioning
from lib_ti.pocket import CHECKPOINT
from lib_ti.training.build import build_trainer
from lib_ti.training.step import diffusion
from lib_ti.training.validation.samples import validation_samples
from lib_ti.training.validation.validation_loss import ValidationLoss
from tests.benchmarks.studio import Studio, studio
from tests.fakes import FakeModel
from tests.training.test_trainer import batches, gradients_of

SCHEDULER = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


class Velocity:
    """A model of noise, as one of velocity: v = (sqrt(a) eps - sqrt(1 - a) x0), with x0 from its own noise."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.info = replace(model.info, prediction="v")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        alpha = self._model.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
        noise = self._model.predict(noisy, timesteps, conditioning)
        clean = (noisy - (1 - alpha) ** 0.5 * noise) / alpha**0.5
        velocity: Tensor = alpha**0.5 * noise - (1 - alpha) ** 0.5 * clean
        return velocity


def drawn(count: int = 64) -> tuple[Tensor, diffusion.Draw]:
    rng = diffusion.generator("velocity")
    return torch.randn(count, 4, 4, 4, generator=rng), diffusion.draw(rng, (count, 4, 4, 4))


def test_noise_and_velocity_are_those_of_diffusers() -> None:
    latents, draw = drawn()
    alphas = SCHEDULER.alphas_cumprod
    noisy = diffusion.add_noise(latents, draw.noise, draw.timesteps, alphas)
    torch.testing.assert_close(noisy, SCHEDULER.add_noise(latents, draw.noise, draw.timesteps))
    velocity = diffusion.target("v", latents, draw.noise, draw.timesteps, alphas)
    torch.testing.assert_close(velocity, SCHEDULER.get_velocity(latents, draw.noise, draw.timesteps))
    assert diffusion.target("eps", latents, draw.noise, draw.timesteps, alphas) is draw.noise


def test_image_and_noise_follow_from_the_velocity() -> None:
    latents, draw = drawn()
    alphas = SCHEDULER.alphas_cumprod
    noisy = diffusion.add_noise(latents, draw.noise, draw.timesteps, alphas)
    velocity = diffusion.target("v", latents, draw.noise, draw.timesteps, alphas)
    alpha = alphas[draw.timesteps].view(-1, 1, 1, 1)
    torch.testing.assert_close(alpha**0.5 * noisy - (1 - alpha) ** 0.5 * velocity, latents, atol=1e-5, rtol=0)
    torch.testing.assert_close((1 - alpha) ** 0.5 * noisy + alpha**0.5 * velocity, draw.noise, atol=1e-5, rtol=0)


def test_a_loss_of_each_sample_is_the_mean_error_of_that_sample() -> None:
    latents, draw = drawn(3)
    weight = torch.rand(3, 1, 4, 4, generator=diffusion.generator("weight"))
    found = diffusion.loss_per_sample(latents, draw.noise, weight)
    for number in range(3):
        alone = diffusion.loss(*(tensor[number : number + 1] for tensor in (latents, draw.noise, weight)))
        torch.testing.assert_close(found[number], alone)
    torch.testing.assert_close(found.mean(), diffusion.loss(latents, draw.noise, weight))


@pytest.mark.parametrize("scaled", [False, True])
def test_gradients_are_those_of_the_noise_by_its_share_of_the_image(scaled: bool) -> None:
    """An error of the noise is one of the velocity by 1 / sqrt(a), so that losses differ by 1 / a for each sample."""
    model = FakeModel(needs_loss_scaling=scaled)
    start = Embedding("my-style", model.initial_vectors("style", 2))
    trainer = build_trainer(Velocity(model), TrainConfig(max_steps=4), batches, start, first_step=0)
    vectors = start.vectors["clip_l"].clone()
    given = gradients_of(trainer)[0]["clip_l"]
    batch = batches(0)
    draw = diffusion.draw(diffusion.generator(0, "pass", 0), tuple(batch.latents.shape))
    leaf = vectors.requires_grad_(True)
    noisy = SCHEDULER.add_noise(batch.latents, draw.noise, draw.timesteps)
    predicted = model.predict(
        noisy, draw.timesteps, model.encode_prompts(batch.conditions, [Embedding("my-style", {"clip_l": leaf})])
    )
    errors = ((predicted - draw.noise) ** 2).flatten(1).mean(1) / SCHEDULER.alphas_cumprod[draw.timesteps]
    errors.mean().backward()
    torch.testing.assert_close(given, leaf.grad, rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    if not CHECKPOINT.exists():
        pytest.skip("the small model is not there")
    with studio(tmp_path_factory.mktemp("velocity"), "glowing", pictures=8) as made:
        yield made


def test_training_by_the_velocity_lowers_the_loss_of_the_noise(made: Studio) -> None:
    samples = validation_samples(made.found, made.encoded, made.template, made.embedding.name)
    by_noise, by_velocity = (ValidationLoss(model, samples, seed=1) for model in (made.model, Velocity(made.model)))
    trainer = made.trainer(TrainConfig(max_steps=20, batch_size=4, learning_rate="0.1", clip="norm"))
    trainer.model = Velocity(made.model)
    trainer.run()
    reached = trainer.live.snapshot()
    assert fmean(by_noise(reached)) < 0.9 * fmean(by_noise(made.embedding))
    assert fmean(by_velocity(reached)) < 0.9 * fmean(by_velocity(made.embedding))
