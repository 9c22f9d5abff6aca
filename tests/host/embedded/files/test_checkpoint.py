"""What is read as a checkpoint, and the one sentence about everything that is not."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_ti.errors import BadInput
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.files.hashes import file_hash
from lib_ti.host.embedded.files.ldm_names import AUTOENCODER, UNET, autoencoder_name, unet_name
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.model import ImageRequest
from tests.networks import describe
from tests.prompts import of_images

Weights = dict[str, torch.Tensor]


def acquire(path: Path) -> EmbeddedHost:
    host = EmbeddedHost(path, embeddings_folder=path.parent, device="cpu")
    with host.models.session(SessionOptions()):
        return host


def save(path: Path, weights: Weights) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path)
    return describe(path)


def test_names_are_those_of_the_sd15_file() -> None:
    """Names found in Stable Diffusion 1.5's checkpoint, whose UNet has no attention in its coarsest level."""
    pairs = {
        "conv_in.weight": "input_blocks.0.0.weight",
        "time_embedding.linear_2.bias": "time_embed.2.bias",
        "down_blocks.0.downsamplers.0.conv.weight": "input_blocks.3.0.op.weight",
        "down_blocks.1.resnets.0.conv_shortcut.weight": "input_blocks.4.0.skip_connection.weight",
        "down_blocks.2.attentions.1.proj_in.weight": "input_blocks.8.1.proj_in.weight",
        "down_blocks.3.resnets.1.time_emb_proj.weight": "input_blocks.11.0.emb_layers.1.weight",
        "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight": (
            "middle_block.1.transformer_blocks.0.attn2.to_k.weight"
        ),
        "up_blocks.0.upsamplers.0.conv.weight": "output_blocks.2.1.conv.weight",
        "up_blocks.1.upsamplers.0.conv.weight": "output_blocks.5.2.conv.weight",
        "up_blocks.3.attentions.2.proj_out.bias": "output_blocks.11.1.proj_out.bias",
        "conv_out.weight": "out.2.weight",
    }
    assert {name: unet_name(name, layers=2, attended=(1, 2, 3)) for name in pairs} == pairs
    pairs = {
        "encoder.down_blocks.1.resnets.0.conv_shortcut.weight": "encoder.down.1.block.0.nin_shortcut.weight",
        "encoder.down_blocks.2.downsamplers.0.conv.bias": "encoder.down.2.downsample.conv.bias",
        "encoder.mid_block.attentions.0.to_out.0.weight": "encoder.mid.attn_1.proj_out.weight",
        "decoder.up_blocks.0.resnets.2.norm1.weight": "decoder.up.3.block.2.norm1.weight",
        "decoder.up_blocks.2.upsamplers.0.conv.weight": "decoder.up.1.upsample.conv.weight",
        "decoder.mid_block.resnets.1.conv2.weight": "decoder.mid.block_2.conv2.weight",
        "decoder.conv_norm_out.bias": "decoder.norm_out.bias",
        "quant_conv.weight": "quant_conv.weight",
    }
    assert {name: autoencoder_name(name, levels=4) for name in pairs} == pairs


def test_ckpt_and_safetensors_generate_the_same(checkpoint: Path, weights: Weights, tmp_path: Path) -> None:
    path = tmp_path / "small.ckpt"
    torch.save({"state_dict": weights, "epoch": 3, "global_step": 7}, path)
    describe(path)
    request = ImageRequest("a cat", steps=2, width=64, height=64)
    drawn = []
    for one in (checkpoint, path):
        host = EmbeddedHost(one, embeddings_folder=tmp_path, device="cpu")
        with host.models.session(SessionOptions()) as model:
            drawn.append((model.info.autoencoder, model.generate(request, []).tobytes()))
            assert model.info.hash == file_hash(one)[:10]
    assert drawn[0] == drawn[1]


def test_half_precision_and_foreign_entries_load(weights: Weights, tmp_path: Path) -> None:
    others = {
        "alphas_cumprod": torch.ones(1000),
        "model_ema.decay": torch.ones(1),
        "cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(77)[None].half(),
    }
    old_names = {
        name.replace(".text_model.", "."): tensor.half()
        for name, tensor in weights.items()
        if "position_ids" not in name
    }
    path = save(tmp_path / "half.safetensors", old_names | others)
    host = EmbeddedHost(path, embeddings_folder=tmp_path, device="cpu")
    with host.models.session(SessionOptions()) as model:
        assert model.encode_prompts(of_images(["a cat"]), []).crossattn.dtype == torch.float32


def test_yaml_beside_the_checkpoint_is_heeded(checkpoint: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(checkpoint, tmp_path / "described.safetensors"))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "config.json").write_text('{"num_attention_heads": 4}')
    (tmp_path / "described.yaml").write_text(
        "model: {target: ldm.models.diffusion.ddpm.LatentDiffusion, params: {image_size: 8, parameterization: v, "
        "linear_start: 0.001, linear_end: 0.02, scale_factor: 0.5, unet_config: {params: {num_heads: 4}}, "
        "cond_stage_config: {params: {version: text}}}}"
    )
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    results = []
    for one in (checkpoint, path):
        with EmbeddedHost(one, embeddings_folder=tmp_path, device="cpu").models.session(SessionOptions()) as model:
            words = model.encode_prompts(of_images(["a cat"]), [])
            noise = model.predict(torch.ones(1, 4, 8, 8), torch.tensor([500]), words)
            results.append((model.info, model.alphas_cumprod, model.encode_images(pixels).mean, words.crossattn, noise))
    plain, described = results
    assert (plain[0].size, described[0].size) == (512, 64)
    assert (plain[0].prediction, described[0].prediction) == ("eps", "v")
    assert described[1][0].item() == pytest.approx(1 - 0.001)
    assert torch.allclose(described[2], plain[2] * (0.5 / 0.18215), atol=1e-6)
    assert not torch.allclose(described[3], plain[3], atol=1e-4)  # 4 heads of the text encoder, not 1
    assert not torch.allclose(described[4], plain[4], atol=1e-5)


@pytest.mark.parametrize("content", ["just words", "model: {params: {parameterization: x0}}", "a: [1", "model: {}"])
def test_unusable_yaml_is_named(checkpoint: Path, tmp_path: Path, content: str) -> None:
    path = Path(shutil.copy(checkpoint, tmp_path / "described.safetensors"))
    (tmp_path / "described.yaml").write_text(content)
    with pytest.raises(BadInput, match=r"described\.yaml"):
        acquire(path)


def test_missing_file_and_folder_and_suffix(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no\.safetensors does not exist"):
        acquire(tmp_path / "no.safetensors")
    with pytest.raises(BadInput, match="is not a file"):
        acquire(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"x")
    with pytest.raises(BadInput, match=r"suffix '\.onnx'.*\.safetensors or \.ckpt"):
        acquire(tmp_path / "model.onnx")


@pytest.mark.parametrize("keep", [0, 5, 1000, 100_000])
@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_truncated_file(checkpoint: Path, weights: Weights, tmp_path: Path, suffix: str, keep: int) -> None:
    whole = tmp_path / f"whole{suffix}"
    if suffix == ".ckpt":
        torch.save({"state_dict": weights}, whole)
    else:
        shutil.copy(checkpoint, whole)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(whole.read_bytes()[:keep])
    with pytest.raises(BadInput, match=f"cut{suffix}"):
        acquire(path)


def test_missing_weights_are_listed(weights: Weights, tmp_path: Path) -> None:
    gone = [name for name in weights if name.startswith(f"{UNET}output_blocks.0.0.")]
    path = save(tmp_path / "holes.safetensors", {name: t for name, t in weights.items() if name not in gone})
    with pytest.raises(BadInput, match=rf"{len(gone)} weights differ: .*output_blocks\.0\.0.* is missing"):
        acquire(path)
    without = {name: tensor for name, tensor in weights.items() if not name.startswith(AUTOENCODER)}
    with pytest.raises(BadInput, match=r"lacks the weight 'first_stage_model\."):
        acquire(save(tmp_path / "no-vae.safetensors", without))


def _renamed(old: str, new: str) -> Callable[[Weights], Weights]:
    return lambda weights: {name.replace(old, new): tensor for name, tensor in weights.items()}


def _with_input_channels(count: int) -> Callable[[Weights], Weights]:
    return lambda weights: {**weights, f"{UNET}input_blocks.0.0.weight": torch.zeros(32, count, 3, 3)}


TEXT = "cond_stage_model.transformer.text_model."
OTHERS: dict[str, Callable[[Weights], Weights]] = {
    "an SDXL refiner checkpoint": _renamed(TEXT, "conditioner.embedders.0.model."),
    "an SD3 checkpoint": lambda weights: {f"{UNET}joint_blocks.0.x.weight": torch.ones(1)},
    "a Flux checkpoint": lambda weights: {f"{UNET}double_blocks.0.x.weight": torch.ones(1)},
    "an SD 1 inpainting checkpoint": _with_input_channels(9),
    "an SD 1 InstructPix2Pix checkpoint": _with_input_channels(8),
    "a LoRA, not a checkpoint": lambda weights: {"lora_unet_down_blocks_0.lora_up.weight": torch.ones(1)},
    r"an autoencoder \(VAE\), not a checkpoint": lambda weights: {
        name.removeprefix(AUTOENCODER): tensor for name, tensor in weights.items() if name.startswith(AUTOENCODER)
    },
    "an embedding, not a checkpoint": lambda weights: {"emb_params": torch.ones(1, 768)},
    "one part of a model in the diffusers format": lambda weights: {"down_blocks.0.x.weight": torch.ones(1)},
    "not a Stable Diffusion checkpoint": lambda weights: {"something": torch.ones(1)},
}


@pytest.mark.parametrize("says", OTHERS)
def test_other_files_are_refused_by_name(weights: Weights, tmp_path: Path, says: str) -> None:
    path = save(tmp_path / "other.safetensors", OTHERS[says](weights))
    with pytest.raises(BadInput, match=rf"other\.safetensors is {says}"):
        acquire(path)


def test_ckpt_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "other.ckpt"
    one = torch.ones(1, 768)
    for content in ({"string_to_param": {"*": one}}, [one], {"state_dict": {"a": one}}):
        torch.save(content, path)
        with pytest.raises(BadInput, match=r"other\.ckpt"):
            acquire(path)


def test_new_embeddings_start_from_the_token_table_as_from_the_model(
    checkpoint: Path, weights: Weights, tmp_path: Path
) -> None:
    old = {name.replace("transformer.text_model.", "transformer."): tensor for name, tensor in weights.items()}
    torch.save({"state_dict": old}, describe(tmp_path / "old.ckpt"))
    for path in (checkpoint, save(tmp_path / "old.safetensors", old), tmp_path / "old.ckpt"):
        host = EmbeddedHost(path, embeddings_folder=tmp_path)
        with host.models.session(SessionOptions()) as model:
            whole = model.initial_vectors("a photo of a cat", 7)
            # The model is at work meanwhile, and is not needed for it.
            alone = host.models.initial_vectors("a photo of a cat", 7)
        assert alone.vectors["clip_l"].equal(whole["clip_l"])
        fresh = EmbeddedHost(path, embeddings_folder=tmp_path).models.initial_vectors("a photo of a cat", 7)
        for one in (alone, fresh):
            assert (one.model_name, one.model_hash) == (path.stem, hashlib.sha256(path.read_bytes()).hexdigest()[:10])


def test_a_checkpoint_without_a_text_encoder_has_nothing_to_start_from(weights: Weights, tmp_path: Path) -> None:
    path = save(tmp_path / "cut.safetensors", {name: one for name, one in weights.items() if name.startswith(UNET)})
    with pytest.raises(BadInput, match="has no text encoder; give a complete SD 1 checkpoint"):
        EmbeddedHost(path, embeddings_folder=tmp_path).models.initial_vectors("a cat", 1)
