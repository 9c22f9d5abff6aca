"""The self-test before the first step: it passes on every family, and names what would go wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.training.checks.self_test import _plain_attention, self_test
from tests.checkpoints import write_checkpoint
from tests.fakes import FakeModel

PROMPT = "a circle by zq-trial"


@pytest.fixture(scope="module", params=["sd1", "sd2-v", "sdxl"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> EmbeddedHost:
    folder: Path = tmp_path_factory.mktemp("models")
    return EmbeddedHost(write_checkpoint(folder, request.param), embeddings_folder=folder)


def embedding(model: EmbeddedModel | FakeModel) -> Embedding:
    return Embedding("zq-trial", model.initial_vectors("red", 2))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_sound_model_passes(host: EmbeddedHost, precision: Any) -> None:
    with host.models.session(SessionOptions(precision)) as model:
        assert self_test(model, embedding(model), PROMPT) == []


class BrokenAttention(TorchFunctionMode):
    """A fused kernel that forgets to scale."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        wrong = {"scale": 1.0} if func is functional.scaled_dot_product_attention else {}
        return func(*args, **{**(kwargs or {}), **wrong})


def test_wrong_attention_is_found(host: EmbeddedHost) -> None:
    with host.models.session(SessionOptions()) as model, BrokenAttention():
        problems = self_test(model, embedding(model), PROMPT)
    assert problems
    assert all(problem.startswith("The attention computed here is wrong: its ") for problem in problems)


def test_a_weight_with_a_gradient_is_found(host: EmbeddedHost) -> None:
    with host.models.session(SessionOptions()) as model:
        weight = model._unet.conv_out.weight.requires_grad_(True)
        try:
            (problem,) = self_test(model, embedding(model), PROMPT)
        finally:
            weight.requires_grad_(False)
            weight.grad = None
    assert "computes gradients of 1 weight of it (4 × " in problem


def test_an_undefined_gradient_is_found() -> None:
    model = FakeModel()
    model.poison_after = 0
    (problem,) = self_test(model, embedding(model), PROMPT)
    assert problem.startswith("A trial step gave the gradient nan, from which nothing can be learned")


def test_vectors_that_no_gradient_reaches_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel()
    encode = model.encode_prompts

    def first_vector_only(conditions: Any, embeddings: list[Embedding]) -> Any:
        (style,) = embeddings
        kept = style.vectors["clip_l"] * torch.tensor([[1.0], [0.0]])
        return encode(conditions, [style.with_vectors({"clip_l": kept}, step=0)])

    monkeypatch.setattr(model, "encode_prompts", first_vector_only)
    (problem,) = self_test(model, embedding(model), PROMPT)
    assert "1 vector of clip_l had the gradient 0" in problem


@pytest.mark.parametrize("how", ["plain", "causal", "bool", "float", "scale"])
def test_plain_attention_is_torchs(how: str) -> None:
    sample = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 3, 5, 4, generator=sample) for _ in range(3))
    options: dict[str, Any] = {
        "plain": {},
        "causal": {"is_causal": True},
        "bool": {"attn_mask": torch.rand(5, 5, generator=sample) > 0.3},
        "float": {"attn_mask": torch.randn(5, 5, generator=sample)},
        "scale": {"scale": 0.3},
    }[how]
    expected = functional.scaled_dot_product_attention(query, key, value, **options)
    torch.testing.assert_close(_plain_attention(query, key, value, **options), expected)
