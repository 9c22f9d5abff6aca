"""The contract between host and trainer for every family, on small random models.

What is computed is compared with ``transformers`` and ``diffusers`` used as their own pipelines use them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from diffusers import (
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)
from transformers import CLIPTokenizer

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.clip import END, START
from lib_ti.families.family import Family, Prediction
from lib_ti.host.base import SessionOptions
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.networks import Networks
from lib_ti.host.model import Checkpointing, Conditions, Framing, ImageRequest
from tests.checkpoints import KINDS, SIZE, small_networks, write_checkpoint

CAT = "a photo of a cat"
REQUEST = ImageRequest("a my-style cat", steps=3, width=SIZE, height=SIZE, seed=7)


@dataclass(frozen=True)
class Case:
    """A small checkpoint, its networks as the libraries build them, and the host that has loaded it."""

    family: Family
    prediction: Prediction
    path: Path
    networks: Networks
    host: EmbeddedHost


@pytest.fixture(scope="module", params=KINDS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    family, prediction = KINDS[request.param]
    path = write_checkpoint(tmp_path_factory.mktemp("models"), request.param)
    host = EmbeddedHost(path, embeddings_folder=path.parent, device="cpu")
    return Case(family, prediction, path, small_networks(family), host)


@pytest.fixture
def model(case: Case) -> Iterator[EmbeddedModel]:
    with case.host.models.session(SessionOptions()) as acquired:
        yield acquired


def embedding(model: EmbeddedModel, name: str = "my-style", count: int = 3, scale: float = 0.02) -> Embedding:
    draw = torch.Generator().manual_seed(count)
    vectors = {
        key: (torch.randn(count, width, generator=draw) * scale).requires_grad_()
        for key, width in model.info.widths.items()
    }
    return Embedding(name, vectors)


def whole(prompts: list[str]) -> Conditions:
    return Conditions.whole(prompts, width=SIZE, height=SIZE)


def loss_of(model: EmbeddedModel, conditions: Conditions, embeddings: list[Embedding]) -> torch.Tensor:
    count = len(conditions.prompts)
    noisy = torch.randn(count, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    prediction = model.predict(noisy, torch.arange(count) * 400 + 5, model.encode_prompts(conditions, embeddings))
    return (prediction - noisy).square().mean()


def modules(model: EmbeddedModel) -> list[torch.nn.Module]:
    return [model._unet, model._autoencoder, *(encoder._network for encoder in model._text._encoders)]


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
    used, unused = embedding(model), embedding(model, "other", count=2)
    loss_of(model, whole(["a my-style cat", "my-style"]), [used, unused]).backward()
    for vectors in used.vectors.values():
        assert vectors.grad is not None
        assert vectors.grad.abs().sum(1).gt(0).all()
    assert all(vectors.grad is None for vectors in unused.vectors.values())
    assert all(p.grad is None and not p.requires_grad for network in modules(model) for p in network.parameters())


def test_the_gradient_is_the_slope_of_the_loss(model: EmbeddedModel) -> None:
    """By small differences along a direction, for each encoder by itself."""
    conditions, style = whole(["a my-style cat"]), embedding(model, scale=0.5)
    loss_of(model, conditions, [style]).backward()
    for key, vectors in style.vectors.items():
        gradient = vectors.grad
        assert gradient is not None
        step = 0.02 * gradient / gradient.norm()
        with torch.no_grad():
            above, below = (
                loss_of(model, conditions, [replace(style, vectors={**style.vectors, key: vectors + sign * step})])
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
    style = embedding(model, count=4)
    both = model.encode_prompts(whole(["cat " * 74 + "my-style", "a dog"]), [style])
    parts = model.encode_prompts(whole(["cat " * 74, "my-style", "a dog", ""]), [style])
    width = sum(model.info.widths.values())
    assert both.crossattn.shape == (2, 154, width)
    assert torch.allclose(both.crossattn.reshape(4, 77, width), parts.crossattn[[0, 1, 2, 3]], atol=1e-6)
    if both.pooled is not None:
        assert torch.allclose(both.pooled, parts.pooled[[0, 2]], atol=1e-6)


def test_a_session_leaves_everything_as_it_was(case: Case) -> None:
    def state(model: EmbeddedModel) -> list[object]:
        return [
            (module.training, getattr(module, "gradient_checkpointing", None), len(module._forward_hooks))
            for network in modules(model)
            for module in network.modules()
        ] + [parameter.requires_grad for network in modules(model) for parameter in network.parameters()]

    sessions = case.host.models
    with sessions.session(SessionOptions()) as model:
        before = state(model)
        weights = copy.deepcopy([network.state_dict() for network in modules(model)])
    random = torch.random.get_rng_state()
    for error in (None, RuntimeError("step failed")):
        with suppress(RuntimeError), sessions.session(SessionOptions()) as model:
            model.set_checkpointing("all-blocks")
            loss_of(model, whole(["my-style"]), [embedding(model)]).backward()
            model.generate(REQUEST, [embedding(model)])
            if error:
                raise error
        with sessions.session(SessionOptions()) as model:
            assert state(model) == before
    for one, network in zip(weights, modules(model), strict=True):
        assert all(torch.equal(one[name], tensor) for name, tensor in network.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), random)


def test_gradient_checkpointing_changes_nothing(case: Case) -> None:
    found = []
    for blocks in get_args(Checkpointing):
        with case.host.models.session(SessionOptions()) as model:
            model.set_checkpointing(blocks)
            style = embedding(model)
            loss = loss_of(model, whole(["a my-style cat"]), [style])
            loss.backward()
            found.append((loss.item(), *(vectors.grad for vectors in style.vectors.values())))
    for other in found[1:]:
        assert other[0] == found[0][0]
        assert all(one.equal(two) for one, two in zip(other[1:], found[0][1:], strict=True))


def test_bfloat16_is_near_float32(case: Case, model: EmbeddedModel) -> None:
    host = EmbeddedHost(case.path, embeddings_folder=case.path.parent, device="cpu")
    framing = Framing(original=(4000, 3001), crop=(257, 0), size=(1000, 1024))  # bfloat16 rounds these
    conditions, style, same = Conditions(["a my-style"], [framing]), embedding(model), embedding(model)
    with host.models.session(SessionOptions(precision="bfloat16")) as half:
        loss = loss_of(half, conditions, [style])
        loss.backward()
        half.generate(REQUEST, [style])
    reference = loss_of(model, conditions, [same])
    reference.backward()
    assert loss.item() == pytest.approx(reference.item(), rel=0.01)
    for key, vectors in style.vectors.items():
        expected = same.vectors[key].grad
        assert vectors.grad is not None
        assert expected is not None
        assert torch.cosine_similarity(vectors.grad.flatten(), expected.flatten(), dim=0) > 0.95


@pytest.fixture(scope="module")
def tokenizers() -> tuple[CLIPTokenizer, CLIPTokenizer]:
    """Those of CLIP-L and of open_clip, which differ in what follows a text: "!" is token 0."""
    folder = Path(__file__).parents[3] / "lib_ti/host/clip/vocabulary"
    files = str(folder / "vocab.json"), str(folder / "merges.txt")
    return CLIPTokenizer(*files, model_max_length=77), CLIPTokenizer(*files, model_max_length=77, pad_token="!")


def pipeline(case: Case, tokenizers: tuple[CLIPTokenizer, CLIPTokenizer], scheduler: Any) -> Any:
    networks = case.networks
    parts = {"vae": copy.deepcopy(networks.autoencoder), "unet": networks.unet, "scheduler": scheduler}
    parts["vae"].register_to_config(scaling_factor=case.family.model.scale_factor)
    if case.family.key == "sdxl":
        return StableDiffusionXLPipeline(
            **parts,
            text_encoder=networks.text_encoders["clip_l"],
            text_encoder_2=networks.text_encoders["clip_g"],
            tokenizer=tokenizers[0],
            tokenizer_2=tokenizers[1],
            add_watermarker=False,
        )
    (encoder,) = case.family.encoders
    text_encoder = copy.deepcopy(networks.text_encoders[encoder.key])
    if case.family.key == "sd2":  # diffusers' files for it lack the last layer
        del text_encoder.text_model.encoder.layers[-1]
    return StableDiffusionPipeline(
        **parts,
        text_encoder=text_encoder,
        tokenizer=tokenizers[case.family.key == "sd2"],
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


@pytest.mark.parametrize("sampler", ["Euler", "DDIM"])
@pytest.mark.parametrize("negative", ["", "a dog"])
def test_images_are_those_of_diffusers_pipelines(
    case: Case, model: EmbeddedModel, tokenizers: tuple[CLIPTokenizer, CLIPTokenizer], sampler: str, negative: str
) -> None:
    settings: dict[str, Any] = {
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "prediction_type": "v_prediction" if case.prediction == "v" else "epsilon",
    }
    scheduler = (
        EulerDiscreteScheduler(timestep_spacing="linspace", **settings)
        if sampler == "Euler"
        else DDIMScheduler(
            timestep_spacing="leading", steps_offset=1, clip_sample=False, set_alpha_to_one=False, **settings
        )
    )
    request = replace(REQUEST, prompt=CAT, negative_prompt=negative, sampler=sampler, scheduler="Uniform", steps=4)
    latents = torch.randn(1, 4, SIZE // 8, SIZE // 8, generator=torch.Generator().manual_seed(request.seed))
    made = pipeline(case, tokenizers, scheduler)
    made.set_progress_bar_config(disable=True)
    theirs = made(
        CAT,
        negative_prompt=negative or None,
        height=SIZE,
        width=SIZE,
        num_inference_steps=4,
        guidance_scale=request.cfg_scale,
        latents=latents,
        output_type="np",
    ).images[0]
    ours = np.asarray(model.generate(request, []), dtype=float)
    assert np.abs(ours - theirs * 255).max() <= 1
    assert ours.std() > 1


@torch.no_grad()
def test_an_empty_negative_prompt_is_zeros_only_where_the_family_has_it_so(case: Case, model: EmbeddedModel) -> None:
    def guided(negative: str) -> torch.Tensor:
        denoise = model.guided([(CAT, negative)], [], 3.0, (SIZE, SIZE))
        return denoise(torch.ones(1, 4, 8, 8), torch.tensor(500))

    empty = model.encode_prompts(whole([""]), [])
    wanted = model.encode_prompts(whole([CAT]), [])
    if case.family.key == "sdxl":
        empty = replace(empty, crossattn=empty.crossattn * 0, pooled=empty.pooled * 0)
    noisy, timestep = torch.ones(1, 4, 8, 8), torch.tensor([500])
    without, with_prompt = (model.predict(noisy, timestep, one) for one in (empty, wanted))
    assert torch.allclose(guided(""), without + 3 * (with_prompt - without), atol=1e-5)
    assert not torch.allclose(guided(""), guided("dog"), atol=1e-4)
