"""Memory sets: their order, and the same result by all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINT
from lib_ti.training.build import build_trainer
from lib_ti.training.memory.device import metered
from lib_ti.training.memory.sets import MemorySet, MemorySets, levels, portions
from lib_ti.training.step import diffusion
from lib_ti.training.step.batch import TrainingBatch
from tests.checkpoints import write_checkpoint
from tests.fakes import FakeModel
from tests.prompts import of_images

LONG = "a painting of a small house by my-style" + ", a garden with a fence" * 15
"""Two contexts of CLIP's."""
PROMPTS = ("art by my-style", LONG, "my-style", "a my-style, a house", "house, my-style")


def batches(index: int) -> TrainingBatch:
    """Weighted in turn, and with one prompt that is longer than the others."""
    rng = diffusion.generator("sets", index)
    latents, weight = torch.randn(5, 4, 8, 8, generator=rng), torch.rand(5, 1, 8, 8, generator=rng)
    return TrainingBatch(latents, weight if index % 2 else None, of_images(PROMPTS), 0, index)


class Recorded:
    """A trainer of two micro-batches a step that notes its gradients."""

    def __init__(self, model: Any, memory: MemorySet | None, steps: int = 1, **settings: Any) -> None:
        config = TrainConfig(batch_size=5, gradient_accumulation=2, max_steps=steps, **settings)
        style = Embedding("my-style", {key: table * 0.1 for key, table in model.initial_vectors("red", 3).items()})
        self.trainer = build_trainer(model, config, batches, style, first_step=0, memory=memory)
        self.gradients: list[dict[str, torch.Tensor]] = []
        step = self.trainer.optimizer.step

        def note(gradients: Any, learning_rate: float, apply: torch.Tensor) -> torch.Tensor:
            self.gradients.append({key: one.clone() for key, one in gradients.items()})
            return step(gradients, learning_rate, apply)

        self.trainer.optimizer.step = note  # type: ignore[method-assign,assignment]
        self.trainer.run()


@pytest.fixture(scope="module", params=["pocket", "sdxl", "sd2-v"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> EmbeddedHost:
    folder = tmp_path_factory.mktemp("models")
    path: Path = CHECKPOINT if request.param == "pocket" else write_checkpoint(folder, request.param)
    return EmbeddedHost(path, embeddings_folder=folder)


def test_every_set_gives_the_same_gradient(host: EmbeddedHost) -> None:
    with host.models.session(SessionOptions()) as model:
        plain = Recorded(model, None).gradients[0]
        for blocks in ("transformer-blocks", "all-blocks"):
            found = Recorded(model, MemorySet(blocks, 5)).gradients[0]
            assert all(found[key].equal(plain[key]) for key in plain), blocks
        for images in (1, 3):
            found = Recorded(model, MemorySet("off", images)).gradients[0]
            same = Recorded(model, MemorySet("all-blocks", images)).gradients[0]
            for key, gradient in plain.items():
                # Rounding of a float32 network: a few 1e-6; where the UNet is in float64, see below.
                torch.testing.assert_close(found[key], gradient, rtol=0, atol=1e-5 * float(gradient.abs().max()))
                assert same[key].equal(found[key])


def test_a_run_whose_step_ran_out_of_memory_equals_another_bit_for_bit(
    host: EmbeddedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    with host.models.session(SessionOptions()) as model:
        whole = Recorded(model, MemorySet("off", 1), steps=2)
        predict, calls = model.predict, [0]

        def full_once(*given: Any) -> torch.Tensor:
            calls[0] += 1
            predicted = predict(*given)
            if calls[0] == 17:  # in the second micro-batch of the second step
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return predicted

        monkeypatch.setattr(model, "predict", full_once)
        found = Recorded(model, MemorySet("off", 1), steps=2)
    assert found.trainer.memory.current == MemorySet("transformer-blocks", 1)
    assert len(found.gradients) == 2
    for name, leaf in whole.trainer.embeddings.named.items():
        assert found.trainer.embeddings.named[name].equal(leaf)


def test_fewer_images_at_once_differ_by_rounding_only(host: EmbeddedHost) -> None:
    with host.models.session(SessionOptions()) as model:
        model._unet.double()
        try:
            plain, split = (Recorded(model, MemorySet("off", images)).gradients[0] for images in (5, 2))
        finally:
            model._unet.float()
        for key, gradient in plain.items():
            torch.testing.assert_close(split[key], gradient, rtol=0, atol=1e-6 * float(gradient.abs().max()))


def test_fewer_images_at_once_take_less_memory(host: EmbeddedHost) -> None:
    most = []
    with host.models.session(SessionOptions()) as model:
        for images in (5, 1):
            with metered(model.device) as meter:
                Recorded(model, MemorySet("off", images))
            most.append(meter.most())
    assert most[1] < 0.7 * most[0]


def test_the_order_is_that_of_time() -> None:
    assert levels("auto") == ["off", "transformer-blocks", "all-blocks"]
    assert levels("transformer-blocks") == ["transformer-blocks"]
    assert portions(5) == [5, 3, 2, 1]
    assert portions(1) == [1]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("auto", [("off", 4), ("off", 2), ("off", 1), ("transformer-blocks", 1), ("all-blocks", 1)]),
        ("off", [("off", 4), ("off", 2), ("off", 1)]),
        ("all-blocks", [("all-blocks", 4), ("all-blocks", 2), ("all-blocks", 1)]),
    ],
)
def test_sets_are_reduced_down_to_the_last(wanted: str, expected: list[tuple[str, int]]) -> None:
    sets = MemorySets(4, wanted)
    found = [sets.current]
    while sets.reduce():
        found.append(sets.current)
    assert [(one.checkpointing, one.images) for one in found] == expected
    assert sets.current == found[-1]


def test_the_autoencoder_is_offloaded_first_where_that_frees_memory() -> None:
    sets = MemorySets(2, can_offload=True)
    found = []
    while sets.reduce():
        found.append((sets.current.checkpointing, sets.current.images, sets.current.offload))
    assert found == [
        ("off", 2, True),
        ("off", 1, True),
        ("transformer-blocks", 1, True),
        ("all-blocks", 1, True),
    ]


def test_a_set_is_described() -> None:
    assert MemorySets(4).how == "Gradient checkpointing is off"
    sets = MemorySets(4, first=MemorySet("all-blocks", 1))
    assert sets.how == "Gradient checkpointing is all-blocks, and 1 of 4 images is computed at once"


def test_the_fake_model_is_split_as_others_are() -> None:
    plain, split = (Recorded(FakeModel(), memory) for memory in (None, MemorySet("off", 2)))
    torch.testing.assert_close(plain.gradients[0], split.gradients[0])
