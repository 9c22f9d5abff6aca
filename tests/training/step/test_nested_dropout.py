"""Batches that use the first vectors only: which, what is trained then, and what the cut embedding is."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
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


def test_each_number_of_vectors_is_used_equally_often_and_those_of_a_batch_are_spread() -> None:
    in_use = NestedDropout(seed=3)
    for images in (1, 4):
        batches = [in_use(index, images, 8) for index in range(2000)]
        found = Counter(itertools.chain(*batches))
        assert all(found[count] == pytest.approx(250 * images, abs=70 * images) for count in range(1, 9))
    assert {tuple(counts) for counts in batches} == {(1, 3, 5, 7), (2, 4, 6, 8)}
    assert batches[:50] == [NestedDropout(3)(index, 4, 8) for index in range(50)]
    assert batches[:50] != [NestedDropout(4)(index, 4, 8) for index in range(50)]
    assert in_use(0, 3, 1) == [1, 1, 1]


@pytest.mark.parametrize("family", CHECKPOINTS)
def test_a_batch_trains_what_the_cut_embedding_is(family: str, tmp_path: Path) -> None:
    """Gradients and loss of 3 of 5 vectors are those of an embedding of 3, in both text encoders of SDXL."""
    host = EmbeddedHost(CHECKPOINTS[family], embeddings_folder=tmp_path)
    with host.models.session(SessionOptions()) as model:
        start = Embedding("my-style", model.initial_vectors("a striped star on red", 5))
        results = []
        for embedding, count in ((start, 3), (start.first(3), 3)):
            leaves = TrainableEmbeddings([embedding], model.device)

            def in_use(index: int, images: int, whole: int, count: int = count) -> list[int]:
                return [count] * images

            backward = Backward(model, batches, leaves, DenoisingObjective(0), in_use=in_use)
            _, loss = backward(0, torch.tensor(1.0), None)
            results.append((loss, {key: leaf.grad for key, leaf in leaves.named.items()}))
    (loss, gradients), (loss_of_cut, gradients_of_cut) = results
    assert loss.equal(loss_of_cut)
    assert len(gradients) == len(model.info.widths)
    for key, gradient in gradients.items():
        assert gradient[:3].equal(gradients_of_cut[key]) and gradient[:3].any()
        assert not gradient[3:].any()


def test_images_with_different_numbers_count_alike(tmp_path: Path) -> None:
    """The loss and gradients of a batch are the means of those of its images, whatever goes through at once."""
    host = EmbeddedHost(CHECKPOINTS["sd1"], embeddings_folder=tmp_path)

    def of_image(place: int):
        def one(index: int) -> TrainingBatch:
            batch, here = batches(index), slice(place, place + 1)
            return replace(batch, latents=batch.latents[here], conditions=batch.conditions.part(here))

        return one

    class DrawnForAll(DenoisingObjective):
        def draw(self, index: int, shape: tuple[int, ...]) -> diffusion.Draw:
            drawn = super().draw(index, (2, *shape[1:]))
            return diffusion.Draw(drawn.timesteps[here], drawn.noise[here])

    with host.models.session(SessionOptions()) as model:
        start = Embedding("my-style", model.initial_vectors("a striped star", 3))
        results = []
        cases = ((batches, slice(0, 2), [1, 3]), (of_image(0), slice(0, 1), [1]), (of_image(1), slice(1, 2), [3]))
        for source, here, counts in cases:  # noqa: B007  the objective reads it
            leaves = TrainableEmbeddings([start], model.device)
            backward = Backward(model, source, leaves, DrawnForAll(0), in_use=lambda i, n, whole, counts=counts: counts)
            _, loss = backward(0, torch.tensor(1.0), None)
            results.append((loss, leaves.named["clip_l"].grad))
    (loss, gradient), *each = results
    torch.testing.assert_close(loss, sum(one for one, _ in each) / 2)
    torch.testing.assert_close(gradient, sum(one for _, one in each) / 2)
