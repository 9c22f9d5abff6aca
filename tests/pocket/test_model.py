"""The trained pocket model: its file, its names, what it draws and how well that is read."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from lib_ti.pocket import CHECKPOINT, architecture, files, reader
from lib_ti.pocket.captions import caption
from lib_ti.pocket.diffusion import alphas_cumprod
from lib_ti.pocket.words import Words
from lib_ti.pocket.world import STYLES, draw, held_out_specs, random_spec
from tools.pocket import evaluate


def test_importing_the_package_needs_no_torch() -> None:
    code = "import sys, lib_ti.pocket; assert 'torch' not in sys.modules and 'PIL' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_the_files_are_small() -> None:
    assert CHECKPOINT.stat().st_size <= 16_000_000
    assert reader.WEIGHTS.stat().st_size <= 400_000


def test_the_checkpoint_is_stable_diffusion_1_in_small() -> None:
    weights = load_file(CHECKPOINT)
    assert weights["cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"].shape == (
        49_408,
        architecture.WIDTH,
    )
    assert weights["model.diffusion_model.input_blocks.0.0.weight"].shape[:2] == (architecture.UNET_CHANNELS[0], 4)
    assert weights["first_stage_model.decoder.mid.attn_1.q.weight"].ndim == 4
    halves = {name for name, value in weights.items() if value.dtype == torch.float16}
    assert all(name.startswith(("model.", "first_stage_model.", "cond_stage_model.")) for name in halves)
    assert torch.allclose(weights["alphas_cumprod"], alphas_cumprod())
    assert alphas_cumprod()[-1].item() == pytest.approx(0.00466, abs=1e-4)
    assert all(value.isfinite().all() for value in weights.values())


def test_weights_survive_the_way_there_and_back() -> None:
    weights = load_file(CHECKPOINT)
    again = files.to_ldm(*files.from_ldm(weights))
    assert again.keys() == weights.keys()
    assert all(torch.equal(again[name], weights[name]) for name in weights)


def test_diffusers_own_converter_reads_the_same_networks() -> None:
    """An independent check of the names: diffusers' single-file loader, driven by the shipped `.yaml`."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from diffusers.loaders import single_file_utils as single

    config = yaml.safe_load(CHECKPOINT.with_suffix(".yaml").read_text(encoding="utf-8"))
    weights = load_file(CHECKPOINT)
    unet, vae, _ = files.load()
    shape = single.create_unet_diffusers_config_from_ldm(config, weights, image_size=64)
    theirs = UNet2DConditionModel(**shape)
    theirs.load_state_dict(single.convert_ldm_unet_checkpoint(dict(weights), dict(theirs.config)))
    theirs.eval()
    noisy, context = torch.randn(2, 4, 8, 8), torch.randn(2, 77, architecture.WIDTH)
    with torch.no_grad():
        assert torch.allclose(unet(noisy, 500, context).sample, theirs(noisy, 500, context).sample, atol=1e-5)

    shape = single.create_vae_diffusers_config_from_ldm(config, weights, image_size=64)
    other = AutoencoderKL(**shape)
    other.load_state_dict(single.convert_ldm_vae_checkpoint(dict(weights), dict(other.config)))
    other.eval()
    pixels = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(vae(pixels).sample, other(pixels).sample, atol=1e-5)


def test_latents_have_unit_size() -> None:
    _, vae, _ = files.load()
    rng = random.Random(1)
    images = np.stack([np.asarray(draw(random_spec(rng, "flat"))) for _ in range(64)])
    latents = vae.encode(reader.as_pixels(images)).latent_dist.mean * architecture.SCALE_FACTOR
    assert latents.shape == (64, 4, 8, 8)
    assert 0.7 < latents.std().item() < 1.3
    assert latents.mean().abs().item() < 0.3


def test_the_context_has_a_mean_that_emphasis_can_divide_by() -> None:
    _, _, text = files.load()
    for prompt in ("", "a big red circle on the left, white background", "art by dotted"):
        assert 0.05 < text(Words().encode([prompt]))[0].mean().item() < 0.3


def test_words_are_clips_tokens() -> None:
    words = Words()
    assert words.tokenizer.vocab_size == 49_408
    text = "a close-up painting of a big red circle, pink background, art by dotted"
    expected = words.tokenizer(text, padding="max_length", max_length=77).input_ids
    assert words.encode([text])[0].tolist() == expected
    assert words.tokens("a") == [320]


def test_the_reader_reads_fresh_drawings() -> None:
    rng = random.Random(77)
    specs = [random_spec(rng, STYLES[i % len(STYLES)]) for i in range(200)]
    readings = reader.read([draw(spec) for spec in specs])
    for question, share in evaluate.shares(specs, readings).items():
        assert share >= 0.97, question


@pytest.mark.slow
def test_the_model_generates_what_captions_describe() -> None:
    """Captions of attribute tuples never seen in training; in full: `python -m tools.pocket.evaluate`."""
    specs = held_out_specs(48, seed=9)
    captions = [caption(spec, seed, complete=True) for seed, spec in enumerate(specs)]
    found = evaluate.shares(specs, reader.read(evaluate.generate(captions, seed=1000, steps=20)))
    assert found["shape"] >= 0.85, found
    assert found["colour"] >= 0.95, found
    assert found["background"] >= 0.95, found
    assert found["style"] >= 0.85, found


def test_the_landed_report_is_of_this_model() -> None:
    landed = json.loads((files.WEIGHTS / "report.json").read_text(encoding="utf-8"))
    assert landed["images"] >= 512
    assert min(landed["reader on real drawings"].values()) >= 0.99


def test_an_exported_copy_stands_alone(tmp_path: Path) -> None:
    target = files.export(tmp_path / "models")
    config = yaml.safe_load(target.with_suffix(".yaml").read_text(encoding="utf-8"))
    version = Path(config["model"]["params"]["cond_stage_config"]["params"]["version"])
    assert version.is_absolute()
    assert CLIPTokenizer.from_pretrained(str(version))("a").input_ids == [49_406, 320, 49_407]
    config = CLIPTextConfig.from_pretrained(str(version))
    weights = load_file(target)
    shapes = {name: tuple(value.shape) for name, value in CLIPTextModel(config).state_dict().items()}
    for name, shape in shapes.items():
        if not name.endswith("position_ids"):
            assert tuple(weights[f"cond_stage_model.transformer.{name}"].shape) == shape
    # The WebUI lists every .safetensors file as a checkpoint.
    assert list((tmp_path / "models").rglob("*.safetensors")) == [target]
