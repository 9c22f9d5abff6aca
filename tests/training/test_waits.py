"""What keeps a graphics card busy: a step never waits for the device, but for one late reading of its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.embedded.architecture import architecture
from lib_ti.host.embedded.files.checkpoint import read_checkpoint
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.networks import build
from lib_ti.host.model import Checkpointing, Framing
from lib_ti.pocket import CHECKPOINT
from lib_ti.training.build import build_trainer
from lib_ti.training.memory.sets import MemorySet
from lib_ti.training.step import diffusion
from lib_ti.training.step.batch import TrainingBatch
from lib_ti.training.validation.validation_loss import Sample, ValidationLoss
from tests.checkpoints import write_checkpoint
from tests.prompts import of_images
from tests.waits import waits

PRECISIONS = [torch.float32, torch.bfloat16, torch.float16]
STEPS = 2
LONG = "a painting of a small house by my-style" + ", a garden with a fence" * 15
"""Two contexts of CLIP's."""


def model_on_meta(dtype: torch.dtype, path: Path = CHECKPOINT) -> EmbeddedModel:
    """The pocket model, or another, without values; its UNet in ``dtype``."""
    checkpoint = read_checkpoint(path)
    made = architecture(checkpoint)
    networks = build(checkpoint, made, dtype)
    model = EmbeddedModel(networks, made, name="pocket", checkpoint_hash="", autoencoder_hash="")
    for network in networks.all:
        network.to("meta")
    for encoder in model._text._encoders:
        encoder.table._weight = encoder._rows.weight
    model._alphas_cumprod = model._alphas_cumprod.to("meta")
    return model


def batches(index: int) -> TrainingBatch:
    rng = diffusion.generator("waits", index)
    latents, weight = torch.randn(2, 4, 8, 8, generator=rng), torch.rand(2, 1, 8, 8, generator=rng)
    return TrainingBatch(latents, weight if index % 2 else None, of_images(["art by my-style", LONG]), 0, index)


def embedding() -> Embedding:
    return Embedding("my-style", {"clip_l": torch.full((3, 44), 0.1)})


@pytest.mark.parametrize("dtype", PRECISIONS, ids=str)
@pytest.mark.parametrize("checkpointing", ["off", "all-blocks"])
@pytest.mark.parametrize(
    "settings",
    [
        {"gradient_accumulation": 2, "clip": "norm", "nested_dropout": True},
        {"clip": "value", "vector_norm": "fixed", "normalize_gradients": True},
    ],
    ids=str,
)
def test_a_step_waits_for_the_device_once(
    dtype: torch.dtype, checkpointing: Checkpointing, settings: dict[str, Any]
) -> None:
    model = model_on_meta(dtype)
    config = TrainConfig(max_steps=STEPS, gradient_checkpointing=checkpointing, **settings)
    trainer = build_trainer(model, config, batches, embedding(), first_step=0)
    with waits() as found:
        trainer.run()
    assert len(found) == STEPS, "\n".join(found)
    assert trainer.loss_scale.enabled == (dtype == torch.float16)


def test_a_step_that_turns_vectors_waits_for_the_device_once() -> None:
    config = TrainConfig(max_steps=STEPS, vector_norm="direction")
    trainer = build_trainer(model_on_meta(torch.float16), config, batches, embedding(), first_step=0)
    with waits() as found:
        trainer.run()
    assert len(found) == STEPS, "\n".join(found)


def test_a_step_of_one_image_at_a_time_waits_for_the_device_once() -> None:
    config, memory = TrainConfig(max_steps=STEPS, batch_size=2), MemorySet("off", 1)
    trainer = build_trainer(model_on_meta(torch.float16), config, batches, embedding(), first_step=0, memory=memory)
    with waits() as found:
        trainer.run()
    assert len(found) == STEPS, "\n".join(found)


@pytest.fixture(scope="module", params=["sd2-v", "sdxl"])
def other_family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("models"), request.param)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=str)
@pytest.mark.parametrize("checkpointing", ["off", "all-blocks"])
def test_a_step_of_another_family_waits_for_the_device_once(
    other_family: Path, dtype: torch.dtype, checkpointing: Checkpointing
) -> None:
    model = model_on_meta(dtype, other_family)
    style = Embedding("my-style", {key: torch.full((3, width), 0.1) for key, width in model.info.widths.items()})
    config = TrainConfig(max_steps=STEPS, clip="norm", gradient_checkpointing=checkpointing)
    trainer = build_trainer(model, config, batches, style, first_step=0)
    with waits() as found:
        trainer.run()
    assert len(found) == STEPS, "\n".join(found)
    assert trainer.loss_scale.enabled == (dtype == torch.float16)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=str)
def test_validation_waits_for_the_device_once(dtype: torch.dtype) -> None:
    model = model_on_meta(dtype)
    samples = [
        Sample(
            torch.zeros(4, 8, side), torch.ones(1, 8, side) if side == 8 else None, prompt, Framing.whole(8 * side, 64)
        )
        for side, weight, prompt in ((8, torch.ones(1, 8, 8), "art by my-style"), (16, None, LONG))
    ]
    measure = ValidationLoss(model, samples, seed=0)
    with waits() as found:
        measure(embedding().with_vectors({"clip_l": torch.empty(3, 44, device="meta")}, step=0))
    assert len(found) == 1, "\n".join(found)


@pytest.mark.parametrize(
    "waiting",
    [
        lambda there: there.sum().item(),
        lambda there: bool(there[0] > 0),
        lambda there: there.tolist(),
        lambda there: there.cpu(),
        lambda there: torch.full((2,), there[0], device="meta"),
        lambda there: torch.tensor([1, 2], device="meta"),
        lambda there: torch.ones(2).to("meta"),
        lambda there: there.copy_(torch.ones(2)),
        lambda there: there[[0, 1]],
    ],
    ids="item bool tolist cpu full tensor to copy list".split(),
)
def test_every_kind_of_wait_is_counted(waiting: Any) -> None:
    there = torch.empty(2, device="meta")
    with waits() as found:
        waiting(there)
    assert len(found) == 1
    assert __file__ in found[0]
