"""Steps that fail: out of memory, an undefined loss, a model that gives none."""

from __future__ import annotations

import pytest
import torch

from lib_ti.embedding import files
from lib_ti.errors import BadInput, TrainingFailed
from lib_ti.signals import (
    LogMessage,
    StepDone,
)
from tests.training.conftest import Studio, vectors

SELF_TEST = 1
"""Predictions of the self-test before the first step."""


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
    ],
)
def test_out_of_memory_in_a_step_saves_and_says_what_to_do(studio: Studio, error: Exception) -> None:
    model = studio.host.model
    predict = model.predict

    def full(noisy: torch.Tensor, *rest: object) -> torch.Tensor:
        if model.predictions == SELF_TEST + 5:
            raise error
        return predict(noisy, *rest)  # type: ignore[arg-type]

    model.predict = full  # type: ignore[method-assign,assignment]
    with pytest.raises(TrainingFailed, match="Out of memory after step 5, which is saved: lower Batch size"):
        studio.train(validate_every=0, save_image_every=0)
    assert files.load(studio.embedding_file).step == 5


def test_a_step_that_runs_out_of_memory_is_repeated_and_reported(studio: Studio, another: Studio) -> None:
    settings = {"max_steps": 8, "batch_size": 1, "save_image_every": 0}
    another.train(**settings)
    model = studio.host.model
    predict = model.predict
    trained: list[str] = []

    def full_once(noisy: torch.Tensor, *rest: object) -> torch.Tensor:
        if torch.is_grad_enabled():
            trained.append(model.checkpointing)
            if len(trained) == SELF_TEST + 5:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return predict(noisy, *rest)  # type: ignore[arg-type]

    model.predict = full_once  # type: ignore[method-assign,assignment]
    studio.train(**settings)
    assert trained == ["off"] * (SELF_TEST + 5) + ["transformer-blocks"] * 4
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))
    (warning,) = (event for event in studio.of(LogMessage) if "out of memory" in event.text)
    assert warning.warning
    assert warning.text == (
        "Step 5 ran out of memory and is repeated with less, which changes no result: from now on Gradient "
        "checkpointing is transformer-blocks."
    )


def test_a_model_that_cannot_teach_is_refused_before_anything_is_written(studio: Studio) -> None:
    studio.host.model.poison_after = 0
    before = studio.embedding_file.read_bytes()
    with pytest.raises(BadInput, match="A trial step gave the gradient nan, from which nothing can be learned"):
        studio.train()
    assert studio.embedding_file.read_bytes() == before
    assert not studio.logs.exists()


def test_out_of_memory_while_measuring_at_the_end_saves_too(studio: Studio) -> None:
    model = studio.host.model
    predict = model.predict

    def full(noisy: torch.Tensor, *rest: object) -> torch.Tensor:
        if not torch.is_grad_enabled() and len(studio.of(StepDone)) == 13:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return predict(noisy, *rest)  # type: ignore[arg-type]

    model.predict = full  # type: ignore[method-assign,assignment]
    with pytest.raises(TrainingFailed, match="Out of memory after step 13"):
        studio.train(max_steps=13, validate_every=100, save_image_every=0, save_embedding_every=0)
    assert files.load(studio.embedding_file).step == 13


def test_undefined_loss_goes_back_and_ends_with_the_reason(studio: Studio) -> None:
    studio.host.model.poison_after = SELF_TEST + 40
    with pytest.raises(
        TrainingFailed, match="NaN or infinite for 10 steps in a row.*Lower the Embedding learning rate"
    ):
        studio.train(max_steps=100, learning_rate="0.7", validate_every=0, save_image_every=0)
    embedding = files.load(studio.embedding_file)
    assert embedding.step == 30
    assert embedding.vectors["clip_l"].isfinite().all()


def test_a_single_bad_step_is_skipped_and_marked(studio: Studio) -> None:
    model = studio.host.model
    predict = model.predict

    def once(noisy: torch.Tensor, *rest: object) -> torch.Tensor:
        out = predict(noisy, *rest)  # type: ignore[arg-type]
        return out * float("nan") if model.predictions == SELF_TEST + 4 else out

    model.predict = once  # type: ignore[method-assign,assignment]
    assert studio.train(validate_every=0, save_image_every=0).reason == "done"
    assert [event.step for event in studio.of(StepDone) if event.skipped] == [4]


def test_loss_scaling_trains_as_without(studio: Studio, another: Studio) -> None:
    another.host.model.needs_loss_scaling = True
    studio.train()
    another.train()
    torch.testing.assert_close(vectors(studio.embedding_file), vectors(another.embedding_file))
