"""Several embeddings trained at once, each with its own vectors."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import TrainingFailed
from lib_ti.host.model import Conditioning, Conditions
from lib_ti.schedule import LearningRateSchedule
from lib_ti.training.build import build_trainer
from lib_ti.training.memory.sets import MemorySets
from lib_ti.training.step import diffusion
from lib_ti.training.step.backward import Backward
from lib_ti.training.step.batch import TrainingBatch
from lib_ti.training.step.embeddings import TrainableEmbeddings, leaf_names
from lib_ti.training.step.limits import Limits
from lib_ti.training.step.objective import DenoisingObjective
from lib_ti.training.step.optimizers import AdamW
from lib_ti.training.trainer import Trainer
from tests.fakes import FakeModel
from tests.prompts import of_images

NAMES = ("my-style", "my-thing")


def batches(*prompts: str):
    def batch(index: int) -> TrainingBatch:
        latents = torch.randn(2, 4, 4, 4, generator=diffusion.generator("embeddings", index))
        return TrainingBatch(latents, None, of_images(prompts), 0, index)

    return batch


def trainer(model: FakeModel, *prompts: str, max_steps: int = 6) -> Trainer:
    start = [Embedding(name, model.initial_vectors(name, 2)) for name in NAMES]
    embeddings = TrainableEmbeddings(start, model.device)
    return Trainer(
        model,
        embeddings,
        backward=Backward(model, batches(*prompts), embeddings, DenoisingObjective()),
        optimizer=AdamW(embeddings.named),
        schedule=LearningRateSchedule(((0.005, None),)),
        limits=Limits(max_steps=max_steps),
        memory=MemorySets(len(prompts)),
    )


class WithFixed(FakeModel):
    """Knows one embedding by itself."""

    def __init__(self, fixed: Embedding) -> None:
        super().__init__()
        self._fixed = fixed

    def encode_prompts(self, conditions: Conditions, embeddings: Sequence[Embedding]) -> Conditioning:
        return super().encode_prompts(conditions, [*embeddings, self._fixed])


def test_both_are_trained_as_each_would_be_alone() -> None:
    model = FakeModel()
    both = trainer(model, "by my-style", "a my-thing", max_steps=1)
    both.run()
    for live in both.embeddings.live(1):
        start = Embedding(live.name, model.initial_vectors(live.name, 2))
        other = next(name for name in NAMES if name != live.name)
        fixed = Embedding(other, model.initial_vectors(other, 2))
        alone = WithFixed(fixed)
        single = build_trainer(
            alone, TrainConfig(max_steps=1), batches("by my-style", "a my-thing"), start, first_step=0
        )
        single.run()
        torch.testing.assert_close(live.vectors["clip_l"], single.live.vectors["clip_l"])
        assert not live.vectors["clip_l"].equal(start.vectors["clip_l"])


def test_state_of_both_is_resumed_exactly() -> None:
    prompts = ("my-thing by my-style", "by my-style")
    whole = trainer(FakeModel(), *prompts)
    whole.run()
    first = trainer(FakeModel(), *prompts, max_steps=3)
    first.run()
    second = trainer(FakeModel(), *prompts)
    with torch.no_grad():
        for name, leaf in second.embeddings.named.items():
            leaf.copy_(first.embeddings.named[name])
    second.step = 3
    second.restore(first.optimizer.state(), first.loss_scale.state(), first.smoothed_loss)
    second.run()
    for name, leaf in whole.embeddings.named.items():
        assert leaf.equal(second.embeddings.named[name])


def test_an_embedding_that_no_prompt_uses_is_named() -> None:
    with pytest.raises(TrainingFailed, match="do not use the embedding my-thing, so nothing"):
        trainer(FakeModel(), "by my-style", "my-style").run()


def test_leaves_of_a_single_embedding_are_named_as_in_states_of_all_versions() -> None:
    assert leaf_names([("a", "clip_l"), ("a", "clip_g")]) == {("a", "clip_l"): "clip_l", ("a", "clip_g"): "clip_g"}
    assert leaf_names([("a", "clip_l"), ("b", "clip_l")]) == {("a", "clip_l"): "a/clip_l", ("b", "clip_l"): "b/clip_l"}
