"""The contract between host and trainer for every family, on small random models.

What is computed is compared with ``transformers`` and ``diffusers`` used as their own pipelines use them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, get_args

import pytest
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.clip import END, START
from lib_ti.host.base import SessionOptions
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.models import EmbeddedModels, Variant
from lib_ti.host.model import Checkpointing, Conditions, Framing
from tests.checkpoints import SIZE
from tests.host.embedded.family_case import CAT, REQUEST, Case, embedding_of, whole
from tests.host.embedded.sessions import loss_of, modules, state_of


@pytest.fixture
def model(case: Case) -> Iterator[EmbeddedModel]:
    with case.host.models.session(SessionOptions()) as acquired:
        yield acquired


def prompt_loss(model: EmbeddedModel, conditions: Conditions, embeddings: list[Embedding]) -> torch.Tensor:
    return loss_of(model, model.encode_prompts(conditions, embeddings))


def their_ids(prompt: str, pad: int) -> torch.Tensor:
    tokens = [START, *tokenize(prompt), END]
    return torch.tensor([tokens + [pad] * (77 - len(tokens))])


def their_states(case: Case, prompt: str) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return hidden states and pooled vector by the networks' own ``forward``, in each family's own way."""
    networks = case.networks.text_encoders
    if case.family.key == "sd1":
        return networks["clip_l"](their_ids(prompt, END)).last_hidden_state, None
    if case.family.key == "sd2":
        output = networks["clip_h"](their_ids(prompt, 0), output_hidden_states=True)
        return networks["clip_h"].text_model.final_layer_norm(output.hidden_states[-2]), None
    first = networks["clip_l"](their_ids(prompt, END), output_hidden_states=True)
    second = networks["clip_g"](their_ids(prompt, 0), output_hidden_states=True)
    return torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=2), second.text_embeds


def test_what_a_checkpoint_is_known_as(case: Case, model: EmbeddedModel) -> None:
    assert (model.info.family, model.info.prediction) == (case.family.key, case.prediction)
    assert model.info.size == case.host.models.size == SIZE
    assert len(model.info.widths) == len(case.family.encoders) == len(set(model.info.widths.values()))


@torch.no_grad()
def test_prompts_are_encoded_as_by_the_networks_themselves(case: Case, model: EmbeddedModel) -> None:
    ours = model.encode_prompts(whole([CAT]), [])
    states, pooled = their_states(case, CAT)
    assert torch.allclose(ours.crossattn, states, atol=1e-6)
    assert (ours.pooled is None) == (pooled is None) == (ours.sizes is None)
    if ours.pooled is not None and pooled is not None:
        assert torch.allclose(ours.pooled, pooled, atol=1e-6)


@torch.no_grad()
def test_unet_and_autoencoder_are_those_of_the_file(case: Case, model: EmbeddedModel) -> None:
    framing = Framing(original=(640, 480), crop=(3, 5), size=(SIZE, 2 * SIZE))
    ours = model.encode_prompts(Conditions([CAT], [framing]), [])
    more: dict[str, Any] = {}
    if case.family.key == "sdxl":
        sizes = torch.tensor([[480.0, 640.0, 5.0, 3.0, 2 * SIZE, SIZE]])  # own size, crop, size: height or top first
        more = {"added_cond_kwargs": {"text_embeds": ours.pooled, "time_ids": sizes}}
    noisy, steps = torch.ones(1, 4, 8, 8), torch.tensor([3])
    theirs = case.networks.unet(noisy, steps, ours.crossattn, **more).sample
    assert torch.allclose(model.predict(noisy, steps, ours), theirs, atol=1e-6)
    changed = model.encode_prompts(Conditions([CAT], [replace(framing, crop=(3, 60))]), [])
    assert torch.equal(model.predict(noisy, steps, changed), theirs) == (case.family.key != "sdxl")
    pixels = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    posterior = case.networks.autoencoder.encode(pixels).latent_dist
    scale = {"sd1": 0.18215, "sd2": 0.18215, "sdxl": 0.13025}[case.family.key]
    stats = model.encode_images(pixels)
    assert torch.allclose(stats.mean, posterior.mean * scale, atol=1e-6)
    assert torch.allclose(stats.std, posterior.std * scale, atol=1e-6)


def test_gradient_reaches_the_vectors_of_each_encoder_and_nothing_else(model: EmbeddedModel) -> None:
    used, unused = embedding_of(model), embedding_of(model, "other", count=2)
    prompt_loss(model, whole(["a my-style cat", "my-style"]), [used, unused]).backward()
    for vectors in used.vectors.values():
        assert vectors.grad is not None
        assert vectors.grad.abs().sum(1).gt(0).all()
    assert all(vectors.grad is None for vectors in unused.vectors.values())
    assert all(p.grad is None and not p.requires_grad for network in modules(model) for p in network.parameters())


def test_the_gradient_is_the_slope_of_the_loss(model: EmbeddedModel) -> None:
    """By small differences along a direction, for each encoder by itself."""
    conditions, style = whole(["a my-style cat"]), embedding_of(model, scale=0.5)
    prompt_loss(model, conditions, [style]).backward()
    for key, vectors in style.vectors.items():
        gradient = vectors.grad
        assert gradient is not None
        step = 0.02 * gradient / gradient.norm()
        with torch.no_grad():
            above, below = (
                prompt_loss(model, conditions, [replace(style, vectors={**style.vectors, key: vectors + sign * step})])
                for sign in (1, -1)
            )
        assert (above - below).item() / 0.04 == pytest.approx(gradient.norm().item(), rel=0.02)


def test_vectors_of_words_are_those_words(model: EmbeddedModel) -> None:
    """Also at the pooled vector: it is taken at the end of the text, not at the embedding."""
    table = [encoder._network.get_input_embeddings().weight for encoder in model._text._encoders]
    vectors = {key: rows[[320, 2368]].clone() for key, rows in zip(model.info.widths, table, strict=True)}
    ours = model.encode_prompts(whole(["photo of my-style, red"]), [Embedding("my-style", vectors)])
    words = model.encode_prompts(whole(["photo of a cat, red"]), [])
    assert torch.equal(ours.crossattn, words.crossattn)
    assert ours.pooled is None or torch.equal(ours.pooled, words.pooled)


@torch.no_grad()
def test_long_prompts_are_contexts_side_by_side(model: EmbeddedModel) -> None:
    style = embedding_of(model, count=4)
    both = model.encode_prompts(whole(["cat " * 74 + "my-style", "a dog"]), [style])
    parts = model.encode_prompts(whole(["cat " * 74, "my-style", "a dog", ""]), [style])
    width = sum(model.info.widths.values())
    assert both.crossattn.shape == (2, 154, width)
    assert torch.allclose(both.crossattn.reshape(4, 77, width), parts.crossattn[[0, 1, 2, 3]], atol=1e-6)
    if both.pooled is not None:
        assert torch.allclose(both.pooled, parts.pooled[[0, 2]], atol=1e-6)


def test_a_session_leaves_everything_as_it_was(case: Case) -> None:
    sessions = case.host.models
    with sessions.session(SessionOptions()) as model:
        before = state_of(model)
        weights = copy.deepcopy([network.state_dict() for network in modules(model)])
    random = torch.random.get_rng_state()
    for error in (None, RuntimeError("step failed")):
        with suppress(RuntimeError), sessions.session(SessionOptions()) as model:
            model.set_checkpointing("all-blocks")
            prompt_loss(model, whole(["my-style"]), [embedding_of(model)]).backward()
            model.generate(REQUEST, [embedding_of(model)])
            if error:
                raise error
        with sessions.session(SessionOptions()) as model:
            assert state_of(model) == before
    for one, network in zip(weights, modules(model), strict=True):
        assert all(torch.equal(one[name], tensor) for name, tensor in network.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), random)


def test_gradient_checkpointing_changes_nothing(case: Case) -> None:
    found = []
    for blocks in get_args(Checkpointing):
        with case.host.models.session(SessionOptions()) as model:
            model.set_checkpointing(blocks)
            style = embedding_of(model)
            loss = prompt_loss(model, whole(["a my-style cat"]), [style])
            loss.backward()
            found.append((loss.item(), *(vectors.grad for vectors in style.vectors.values())))
    for other in found[1:]:
        assert other[0] == found[0][0]
        assert all(one.equal(two) for one, two in zip(other[1:], found[0][1:], strict=True))


def test_bfloat16_is_near_float32(case: Case, model: EmbeddedModel) -> None:
    host = EmbeddedHost(case.path, embeddings_folder=case.path.parent, device="cpu")
    framing = Framing(original=(4000, 3001), crop=(257, 0), size=(1000, 1024))  # bfloat16 rounds these
    conditions, style, same = Conditions(["a my-style"], [framing]), embedding_of(model), embedding_of(model)
    with host.models.session(SessionOptions(precision="bfloat16")) as half:
        loss = prompt_loss(half, conditions, [style])
        loss.backward()
        half.generate(REQUEST, [style])
    reference = prompt_loss(model, conditions, [same])
    reference.backward()
    assert loss.item() == pytest.approx(reference.item(), rel=0.01)
    for key, vectors in style.vectors.items():
        expected = same.vectors[key].grad
        assert vectors.grad is not None
        assert expected is not None
        assert torch.cosine_similarity(vectors.grad.flatten(), expected.flatten(), dim=0) > 0.95


@torch.no_grad()
def test_clip_skip_counts_from_the_last_layer_or_from_the_encoders_own(case: Case) -> None:
    def encoded(*variant: Any) -> torch.Tensor:
        with EmbeddedModels(case.path, "cpu", case.prediction, variant=Variant(None, *variant)).session(
            SessionOptions()
        ) as model:
            return model.encode_prompts(whole([CAT]), []).crossattn

    plain, second, third = encoded(1), encoded(2), encoded(3)
    assert torch.equal(second, plain) == (case.family.key != "sd1")
    assert not torch.equal(third, second)
    if case.family.key == "sd2":
        assert torch.equal(encoded(1, frozenset({"sd2"})), plain)
        assert torch.equal(encoded(2, frozenset({"sd2"})), third)
