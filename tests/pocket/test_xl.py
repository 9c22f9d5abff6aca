"""Pocket-xl: its file, what it draws, and that sizes and crop mean something to it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import CLIPTokenizer

from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.model import Conditions, ImageRequest
from lib_ti.pocket import XL_CHECKPOINT, architecture, files, reader
from lib_ti.pocket.captions import caption
from lib_ti.pocket.world import held_out_specs
from tools.pocket import evaluate


def test_the_file_is_small() -> None:
    assert XL_CHECKPOINT.stat().st_size <= 16_000_000


def test_the_host_loads_it_as_sdxl() -> None:
    with evaluate.loaded("sdxl") as model:
        info = model.info
        assert (info.family, info.prediction, info.size) == ("sdxl", "eps", 64)
        assert info.widths == {"clip_l": 20, "clip_g": 32}


def test_its_autoencoder_is_the_pocket_models_in_sdxls_scale() -> None:
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    _, vae, _ = files.load()
    with evaluate.loaded("sdxl") as model, torch.no_grad():
        theirs = model.encode_images(images)
        ours = vae.encode(images).latent_dist
        assert torch.allclose(theirs.mean, ours.mean * architecture.SCALE_FACTOR, atol=0.02)
        assert torch.allclose(theirs.std, ours.std * architecture.SCALE_FACTOR, rtol=0.02)


def test_its_weights_are_finite_halves() -> None:
    weights = load_file(XL_CHECKPOINT)
    assert {value.dtype for value in weights.values()} == {torch.float16}
    assert all(value.isfinite().all() for value in weights.values())


def test_the_context_has_a_mean_that_emphasis_can_divide_by() -> None:
    prompts = ["", "a big red circle on the left, white background", "art by dotted"]
    with evaluate.loaded("sdxl") as model:
        context = model.encode_prompts(Conditions.whole(prompts, width=64, height=64), ()).crossattn
    for part in context.split((20, 32), dim=2):
        for prompt, one in zip(prompts, part, strict=True):
            assert abs(one.mean().item()) > 0.03, prompt


def test_it_generates_what_captions_describe() -> None:
    """Captions of attribute tuples never seen in training; in full: `python -m tools.pocket.evaluate --family sdxl`."""
    specs = held_out_specs(16, seed=9)
    captions = [caption(spec, seed, complete=True) for seed, spec in enumerate(specs)]
    found = evaluate.shares(specs, reader.read(evaluate.generate(captions, "sdxl", seed=1000, steps=12)))
    assert min(found.values()) >= 0.8, found


def test_it_knows_of_sizes_and_crop() -> None:
    losses = evaluate.losses_of_framings(count=64)
    assert losses["framings"] < 0.95 * losses["framings of whole drawings"]


def test_the_landed_report_is_of_this_model() -> None:
    landed = json.loads((files.WEIGHTS / "report-xl.json").read_text(encoding="utf-8"))
    assert landed["images"] >= 512
    assert np.min(list(landed["generated"].values())) >= 0.9


def test_an_exported_copy_loads_and_draws_the_same(tmp_path: Path) -> None:
    target = files.export(tmp_path / "models", family="sdxl")
    embedders = json.loads(target.with_suffix(".yaml").read_text(encoding="utf-8"))["model"]["params"][
        "conditioner_config"
    ]["params"]["emb_models"]
    version = Path(embedders[0]["params"]["version"])
    assert version.is_absolute()
    assert CLIPTokenizer.from_pretrained(str(version))("a").input_ids == [49_406, 320, 49_407]
    described = json.loads((files.OPEN_CLIP / f"{embedders[1]['params']['arch']}.json").read_text(encoding="utf-8"))
    weights = load_file(target)
    assert weights["conditioner.embedders.1.model.text_projection"].shape == (
        described["text_cfg"]["width"],
        described["embed_dim"],
    )
    # The WebUI lists every .safetensors file as a checkpoint.
    assert list((tmp_path / "models").rglob("*.safetensors")) == [target]
    host = EmbeddedHost(target, embeddings_folder=tmp_path)
    with host.models.session(SessionOptions()) as copy, evaluate.loaded("sdxl") as model:
        request = ImageRequest("a big red circle", steps=2, seed=1, width=64, height=64)
        assert copy.generate(request, []).tobytes() == model.generate(request, []).tobytes()
