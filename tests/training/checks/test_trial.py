"""The trial before a run, on a real model: what it says of memory is what a step of that size takes."""

from __future__ import annotations

import math

import pytest

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINT
from lib_ti.training.checks import trial
from tests.fakes import FakeModel
from tests.prompts import of_images

pytestmark = pytest.mark.skipif(not CHECKPOINT.exists(), reason="the small model is not there")
PROMPT = "a circle by zq-trial"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedHost:
    return EmbeddedHost(CHECKPOINT, embeddings_folder=tmp_path_factory.mktemp("embeddings"))


@pytest.mark.parametrize("checkpointing", [False, True])
def test_memory_is_foretold(host: EmbeddedHost, checkpointing: bool) -> None:
    with host.models.session(SessionOptions(gradient_checkpointing=checkpointing)) as model:
        embedding = Embedding("zq-trial", model.initial_vectors("red", 2))
        told = trial.try_steps(model, embedding, PROMPT, size=(384, 256), batch_size=2)
        with trial._peak_of(model.device) as peak:
            step(model, embedding, height=32, width=48)
    assert told.memory == pytest.approx(1.1 * peak(), rel=0.05)
    assert 0 < told.gradient < 10


def step(model: object, embedding: Embedding, *, height: int, width: int) -> None:
    """A step at the training size itself."""
    drawn = trial.diffusion.draw(trial.diffusion.generator(1), (2, 4, height, width))
    leaves = {key: vector.clone().requires_grad_(True) for key, vector in embedding.vectors.items()}
    conditioning = model.encode_prompts(of_images([PROMPT] * 2), [embedding.with_vectors(leaves, step=0)])  # type: ignore[attr-defined]
    predicted = model.predict(drawn.noise, drawn.timesteps, conditioning)  # type: ignore[attr-defined]
    trial.diffusion.loss(predicted, drawn.noise).backward()


def test_checkpointing_is_seen(host: EmbeddedHost) -> None:
    told = {}
    for checkpointing in (False, True):
        with host.models.session(SessionOptions(gradient_checkpointing=checkpointing)) as model:
            embedding = Embedding("zq-trial", model.initial_vectors("red", 2))
            told[checkpointing] = trial.try_steps(model, embedding, PROMPT, size=(512, 512), batch_size=1).memory
    assert told[True] < 0.6 * told[False]


def test_an_undefined_gradient_is_told() -> None:
    model = FakeModel()
    model.poison_after = 0
    embedding = Embedding("zq-trial", model.initial_vectors("red", 2))
    assert math.isnan(trial.try_steps(model, embedding, PROMPT, size=(32, 32), batch_size=1).gradient)


def test_the_vectors_stay() -> None:
    model = FakeModel()
    embedding = Embedding("zq-trial", model.initial_vectors("red", 2))
    before = embedding.vectors["clip_l"].clone()
    trial.try_steps(model, embedding, PROMPT, size=(32, 32), batch_size=1)
    assert embedding.vectors["clip_l"].equal(before)
    assert embedding.vectors["clip_l"].grad is None
