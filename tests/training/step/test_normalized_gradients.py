"""Gradients of which each image's has the same length: what they are, and what does not change them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.model import Conditions
from lib_ti.pocket import CHECKPOINTS
from lib_ti.training.step import diffusion
from lib_ti.training.step.backward import Backward
from lib_ti.training.step.batch import TrainingBatch
from lib_ti.training.step.embeddings import TrainableEmbeddings
from lib_ti.training.step.objective import DenoisingObjective
from tests.fakes import FakeModel
from tests.prompts import of_images

LONG = "a painting of a small house by my-style" + ", a garden with a fence" * 15
WEIGHTS = torch.ones(3, 1, 8, 8)
HEAVY = WEIGHTS * torch.tensor([1.0, 1e3, 1.0]).view(-1, 1, 1, 1)
"""The second image's loss, and its gradient, are a thousand times as large."""


@pytest.fixture(params=CHECKPOINTS)
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedModel]:
    with EmbeddedHost(CHECKPOINTS[request.param], embeddings_folder=tmp_path).models.session(SessionOptions()) as found:
        yield found


class OfImages(DenoisingObjective):
    """Noise and timesteps of a batch of three; those of ``here`` only."""

    here = slice(0, 3)

    def draw(self, index: int, shape: tuple[int, ...]) -> diffusion.Draw:
        drawn = super().draw(index, (3, *shape[1:]))
        return diffusion.Draw(drawn.timesteps[self.here], drawn.noise[self.here])


def gradients(
    model: EmbeddedModel | FakeModel,
    *,
    here: slice = OfImages.here,
    weight: Tensor = WEIGHTS,
    normalize: bool = True,
    factor: float = 1.0,
    images: int | None = None,
) -> Tensor:
    """Return the gradients of all encoders' vectors after one micro-batch, in a row."""

    def batches(index: int) -> TrainingBatch:
        latents = torch.randn(3, 4, 8, 8, generator=diffusion.generator("normalized", index))
        conditions: Conditions = of_images(["art by my-style", LONG, "a my-style house"])
        return TrainingBatch(latents[here], weight[here], conditions.part(here), 0, index)

    objective = OfImages(0)
    object.__setattr__(objective, "here", here)
    leaves = TrainableEmbeddings([Embedding("my-style", model.initial_vectors("a striped star", 3))], model.device)
    backward = Backward(model, batches, leaves, objective, normalize=normalize)
    backward(0, torch.tensor(factor), images)
    return torch.cat([leaf.grad.flatten() for leaf in leaves.named.values() if leaf.grad is not None])


def test_each_image_counts_alike_whatever_the_size_of_its_gradient(model: EmbeddedModel) -> None:
    found = gradients(model)
    torch.testing.assert_close(gradients(model, weight=HEAVY), found, rtol=1e-4, atol=1e-6)
    assert not torch.allclose(gradients(model, weight=HEAVY, normalize=False), gradients(model, normalize=False))


def test_an_image_alone_keeps_the_direction_of_its_gradient(model: EmbeddedModel) -> None:
    alone, plain = (gradients(model, here=slice(1, 2), normalize=normalize) for normalize in (True, False))
    assert torch.cosine_similarity(alone, plain, dim=0) == pytest.approx(1, abs=1e-5)
    assert gradients(model, here=slice(1, 2), weight=HEAVY).norm() == pytest.approx(float(alone.norm()), rel=1e-4)


def test_fewer_images_at_once_and_a_loss_scale_change_rounding_only(model: EmbeddedModel) -> None:
    found = gradients(model)
    torch.testing.assert_close(gradients(model, images=2), found, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(gradients(model, factor=1024.0) / 1024, found, rtol=1e-4, atol=1e-6)


def test_a_gradient_of_zeros_and_one_that_is_not_finite_stay_so() -> None:
    model = FakeModel()
    assert not gradients(model, weight=0 * WEIGHTS).any()
    broken = replace_second(WEIGHTS, float("inf"))
    assert not gradients(model, weight=broken).isfinite().all(), "so that the step is skipped"


def replace_second(weights: Tensor, value: float) -> Tensor:
    return torch.cat([weights[:1], torch.full_like(weights[1:2], value), weights[2:]])
