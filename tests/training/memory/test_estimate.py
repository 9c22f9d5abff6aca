"""The estimate of a step's memory, on a real model: it is what a step of that size takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import pytest

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.model import Checkpointing
from lib_ti.pocket import CHECKPOINT
from lib_ti.training.memory.device import metered
from lib_ti.training.memory.estimate import StepMemory, estimate
from lib_ti.training.step.trial import take_trial_step
from tests.fakes import FakeModel

pytestmark = pytest.mark.skipif(not CHECKPOINT.exists(), reason="the small model is not there")
PROMPT = "a circle by zq-trial"
SIZE = (384, 256)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedHost:
    return EmbeddedHost(CHECKPOINT, embeddings_folder=tmp_path_factory.mktemp("embeddings"))


def embedding(model: EmbeddedModel | FakeModel) -> Embedding:
    return Embedding("zq-trial", model.initial_vectors("red", 2))


def measured(model: EmbeddedModel, prompts: Sequence[str]) -> int:
    """The memory of a step of the training size itself."""
    with metered(model.device) as meter:
        take_trial_step(model, embedding(model), prompts, SIZE)
    return meter.most()


@pytest.fixture(scope="module")
def estimates(host: EmbeddedHost) -> dict[Checkpointing, StepMemory]:
    found = {}
    with host.models.session(SessionOptions()) as model:
        for blocks in get_args(Checkpointing):
            model.set_checkpointing(blocks)
            found[blocks] = estimate(model, embedding(model), PROMPT, SIZE, full=False)
    return found


@pytest.mark.parametrize(("blocks", "images"), [("off", 1), ("off", 2), ("transformer-blocks", 2), ("all-blocks", 2)])
def test_memory_of_a_step_is_estimated(
    host: EmbeddedHost, estimates: dict[Checkpointing, StepMemory], blocks: Checkpointing, images: int
) -> None:
    with host.models.session(SessionOptions()) as model:
        model.set_checkpointing(blocks)
        taken = measured(model, [PROMPT] * images)
    assert estimates[blocks].of(images, images) == pytest.approx(1.1 * taken, rel=0.08)


def test_a_full_trial_agrees_with_small_ones(host: EmbeddedHost, estimates: dict[Checkpointing, StepMemory]) -> None:
    with host.models.session(SessionOptions()) as model:
        model.set_checkpointing("all-blocks")
        full = estimate(model, embedding(model), PROMPT, SIZE, full=True)
    small = estimates["all-blocks"]
    assert full.of(1, 1) == pytest.approx(small.of(1, 1), rel=0.05)
    # What a step takes once counts for each image.
    assert full.of(2, 2) == pytest.approx(small.of(2, 2) + 1.1 * small.rest, rel=0.05)


def test_checkpointing_saves_memory(estimates: dict[Checkpointing, StepMemory]) -> None:
    needed = [estimates[blocks].of(4, 4) for blocks in get_args(Checkpointing)]
    assert needed[2] <= needed[1] < needed[0]
    assert needed[2] < 0.6 * needed[0]


def test_fewer_images_at_once_need_less() -> None:
    memory = StepMemory(image=100, prompt=10, rest=5)
    assert memory.of(4, 4) == 489
    assert memory.of(1, 4) == 159


def test_the_vectors_stay_unchanged() -> None:
    model = FakeModel()
    style = embedding(model)
    before = style.vectors["clip_l"].clone()
    estimate(model, style, PROMPT, (32, 32), full=False)
    assert style.vectors["clip_l"].equal(before)
    assert style.vectors["clip_l"].grad is None
