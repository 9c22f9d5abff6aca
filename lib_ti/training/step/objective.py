"""What training minimises: which noise and timesteps a batch meets, and the loss of the model's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from lib_ti.host.model import Conditioning, Model
from lib_ti.training.step import diffusion
from lib_ti.training.step.diffusion import Draw


class Objective(Protocol):
    """Random draws and the loss. Tensors are on the model's device; ``weight`` is (B, 1, h, w) or None."""

    def draw(self, index: int, shape: tuple[int, ...]) -> Draw:
        """Return noise and timesteps on the CPU for latents of ``shape``: a pure function of the micro-batch index."""
        ...

    def loss(
        self, model: Model, latents: Tensor, weight: Tensor | None, draw: Draw, conditioning: Conditioning
    ) -> Tensor:
        """Return the scalar that is minimised: the mean of :meth:`loss_per_sample`."""
        ...

    def loss_per_sample(
        self, model: Model, latents: Tensor, weight: Tensor | None, draw: Draw, conditioning: Conditioning
    ) -> Tensor:
        """Return the loss of each sample, (B,)."""
        ...


@dataclass(frozen=True)
class DenoisingObjective:
    """Mean squared error of the predicted noise or velocity, timesteps uniform (Ho et al. 2020, eq. 14)."""

    seed: int = 0

    def draw(self, index: int, shape: tuple[int, ...]) -> Draw:
        return diffusion.draw(diffusion.generator(self.seed, "pass", index), shape)

    def loss(
        self, model: Model, latents: Tensor, weight: Tensor | None, draw: Draw, conditioning: Conditioning
    ) -> Tensor:
        # One reduction over all values: a mean of means would differ in the last bit, and with it every resumed run.
        return diffusion.loss(*_predicted_and_target(model, latents, draw, conditioning), weight)

    def loss_per_sample(
        self, model: Model, latents: Tensor, weight: Tensor | None, draw: Draw, conditioning: Conditioning
    ) -> Tensor:
        return diffusion.loss_per_sample(*_predicted_and_target(model, latents, draw, conditioning), weight)


def _predicted_and_target(
    model: Model, latents: Tensor, draw: Draw, conditioning: Conditioning
) -> tuple[Tensor, Tensor]:
    noisy = diffusion.add_noise(latents, draw.noise, draw.timesteps, model.alphas_cumprod)
    predicted = model.predict(noisy, draw.timesteps, conditioning)
    return predicted, diffusion.target(model.info.prediction, latents, draw.noise, draw.timesteps, model.alphas_cumprod)
