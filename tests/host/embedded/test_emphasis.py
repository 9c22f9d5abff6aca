"""Emphasis and BREAK in generated images, by the embedded host on the pocket model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.model import ImageRequest
from lib_ti.pocket import CHECKPOINT
from lib_ti.prompt_syntax import literal, parse

SMALL = ImageRequest("", steps=2, width=64, height=64, seed=7)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedModel]:
    host = EmbeddedHost(CHECKPOINT, embeddings_folder=tmp_path_factory.mktemp("embeddings"), device="cpu")
    with host.models.session(SessionOptions()) as acquired:
        yield acquired


def drawn(model: EmbeddedModel, prompt: str, **changes: object) -> bytes:
    return model.generate(replace(SMALL, prompt=prompt, **changes), []).tobytes()  # type: ignore[arg-type]


def test_hidden_states_are_multiplied_and_keep_their_mean(model: EmbeddedModel) -> None:
    with torch.no_grad():
        plain = model._text.encode(["a red cat"], [], []).crossattn
        (weighted,) = model._text.encode([parse("a (red:1.3) cat")], [], []).crossattn
    expected = plain[0].clone()
    expected[2] *= 1.3
    expected *= plain.mean() / expected.mean()
    assert torch.allclose(weighted, expected, atol=1e-6)


def test_each_context_keeps_its_own_mean(model: EmbeddedModel) -> None:
    with torch.no_grad():
        both = model._text.encode([parse("a (red:1.3) cat BREAK a dog")], [], []).crossattn
        alone = model._text.encode([parse("a (red:1.3) cat"), "a dog"], [], []).crossattn
    assert torch.allclose(both[0].view(2, 77, -1), alone, atol=1e-6)


def test_emphasis_changes_the_image_and_a_caption_has_none(model: EmbeddedModel) -> None:
    plain, strong = drawn(model, "a red cat"), drawn(model, "a (red:1.5) cat")
    assert drawn(model, "a (red:1.0) cat") == plain != strong
    assert drawn(model, "a red BREAK cat") not in (plain, strong)
    caption = drawn(model, "a (red:1.5) cat", literal=True)
    assert caption not in (plain, strong)
    assert caption == drawn(model, literal("a (red:1.5) cat"))
    assert drawn(model, "", negative_prompt="(red:1.5)") != drawn(model, "", negative_prompt="red")


@pytest.mark.parametrize("changes", [{"prompt": "[cat|dog]"}, {"negative_prompt": "<lora:x:1>"}])
def test_what_cannot_be_followed_is_refused(model: EmbeddedModel, changes: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=r"prompt has '"):
        model.generate(replace(SMALL, **changes), [])  # type: ignore[arg-type]
    model.generate(replace(SMALL, prompt="[cat|dog]", literal=True), [])


def test_embeddings_of_both_prompts_are_named(model: EmbeddedModel) -> None:
    style = Embedding("my-style", model.initial_vectors("striped", 2))
    used = model.used_embeddings
    assert used(replace(SMALL, prompt=f"a ({style.name}:1.3)"), [style]) == [style.name]
    assert used(replace(SMALL, prompt="a cat", negative_prompt=style.name), [style]) == [style.name]
    assert used(replace(SMALL, prompt="a cat"), [style]) == []
