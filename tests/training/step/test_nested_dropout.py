"""Batches that use the first vectors only: which, what is trained then, and what the cut embedding is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINTS
from lib_ti.training.step import diffusion
from lib_ti.training.step.backward import Backward
from lib_ti.training.step.batch import TrainingBatch
from lib_ti.training.step.embeddings import TrainableEmbeddings
from lib_ti.training.step.nested_dropout import NestedDropout
from lib_ti.training.step.objective import DenoisingObjective
from tests.prompts import of_images


def batches(index: int) -> TrainingBatch:
    latents = torch.randn(2, 4, 8, 8, generator=diffusion.generator("nested", index))
    return TrainingBatch(latents, None, of_images(["art by my-style", "a my-style house"]), 0, index)


def test_each_number_of_vectors_is_used_equally_often() -> None:
    in_use = NestedDropout(seed=3)
    found = Counter(in_use(index, 8) for index in range(4000))
    assert all(found[count] == pytest.approx(500, abs=90) for count in range(1, 9))
    chosen = [in_use(index, 8) for index in range(50)]
    assert chosen == [NestedDropout(3)(index, 8) for index in range(50)]
    assert chosen != [NestedDropout(4)(index, 8) for index in range(50)]
    assert {in_use(index, 1) for index in range(20)} == {1}


@pytest.mark.parametrize("family", CHECKPOINTS)
def test_a_batch_trains_what_the_cut_embedding_is(family: str, tmp_path: Path) -> None:
    """Gradients and loss of 3 of 5 vectors are those of an embedding of 3, in both text encoders of SDXL."""
    host = EmbeddedHost(CHECKPOINTS[family], embeddings_folder=tmp_path)
    with host.models.session(SessionOptions()) as model:
        start = Embedding("my-style", model.initial_vectors("a striped star on red", 5))
        results = []
        for embedding, count in ((start, 3), (start.first(3), 3)):
            leaves = TrainableEmbeddings([embedding], model.device)
            objective = DenoisingObjective(0)
            backward = Backward(model, batches, leaves, objective, in_use=lambda index, whole, count=count: count)
            _, loss = backward(0, torch.tensor(1.0), None)
            results.append((loss, {key: leaf.grad for key, leaf in leaves.named.items()}))
    (loss, gradients), (loss_of_cut, gradients_of_cut) = results
    assert loss.equal(loss_of_cut)
    assert len(gradients) == len(model.info.widths)
    for key, gradient in gradients.items():
        assert gradient[:3].equal(gradients_of_cut[key]) and gradient[:3].any()
        assert not gradient[3:].any()
