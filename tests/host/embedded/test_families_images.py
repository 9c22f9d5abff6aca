"""Images of every family are those of diffusers' own pipelines."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)
from transformers import CLIPTokenizer

from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.model import EmbeddedModel
from tests.checkpoints import SIZE
from tests.host.embedded.family_case import CAT, REQUEST, Case, whole


@pytest.fixture
def model(case: Case) -> Iterator[EmbeddedModel]:
    with case.host.models.session(SessionOptions()) as acquired:
        yield acquired


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


@pytest.mark.parametrize("sampler", ["Euler", "Heun"])
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
    schedulers = {"Euler": EulerDiscreteScheduler, "Heun": HeunDiscreteScheduler}
    scheduler = schedulers[sampler](timestep_spacing="linspace", **settings)
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
    assert np.abs(ours - theirs * 255).max() < 1.01  # ours are truncated, not rounded
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
