"""Networks of random weights by their names in a checkpoint file: small ones, and Stable Diffusion 1.5 of full size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from lib_ti.families.sd1 import CLIP_L
from lib_ti.host.embedded.files.ldm_names import AUTOENCODER, UNET, text_encoder_name
from lib_ti.host.embedded.networks import Networks, autoencoder_names, unet_names

WIDTH = 64


def random_networks(seed: int = 0) -> Networks:
    """Two UNet levels, the finer without attention; an f=8 autoencoder; a text encoder of two layers and one head."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(32, 64),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=WIDTH,
            attention_head_dim=8,
        )
        autoencoder = AutoencoderKL(
            block_out_channels=(32, 32, 32, 32),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        )
        text_encoder = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=49408,
                hidden_size=WIDTH,
                intermediate_size=128,
                num_hidden_layers=2,
                num_attention_heads=1,
                projection_dim=WIDTH,
            )
        )
    return Networks(unet.eval(), autoencoder.eval(), {CLIP_L.key: text_encoder.eval()})


def in_ldm_format(networks: Networks) -> dict[str, torch.Tensor]:
    """The weights by their names in a checkpoint file."""
    unet_name, autoencoder_name = unet_names(networks.unet), autoencoder_names(networks.autoencoder)
    unet = {UNET + unet_name(name): tensor for name, tensor in networks.unet.state_dict().items()}
    autoencoder = {
        AUTOENCODER + autoencoder_name(name): tensor[..., None, None] if "to_" in name and tensor.ndim == 2 else tensor
        for name, tensor in networks.autoencoder.state_dict().items()
    }
    text = {
        CLIP_L.weights + text_encoder_name(name): tensor
        for name, tensor in networks.text_encoders[CLIP_L.key].state_dict().items()
    }
    return {name: tensor.contiguous() for name, tensor in {**unet, **autoencoder, **text}.items()}


def describe(path: Path) -> Path:
    """Write the ``.yaml`` beside a checkpoint of :func:`random_networks`, which says its attention heads only."""
    path.with_suffix(".yaml").write_text("model: {params: {unet_config: {params: {num_heads: 8}}}}", encoding="utf-8")
    return path


def full_networks() -> Networks:
    """Stable Diffusion 1.5's."""
    made = _unfilled_networks()
    encoders = {key: _filled(encoder) for key, encoder in made.text_encoders.items()}
    return Networks(_filled(made.unet), _filled(made.autoencoder), encoders)


def full_shapes() -> dict[str, tuple[int, ...]]:
    """Shapes of Stable Diffusion 1.5's weights by their names in a checkpoint file."""
    return {name: tuple(one.shape) for name, one in in_ldm_format(_unfilled_networks()).items()}


def _unfilled_networks() -> Networks:
    """Stable Diffusion 1.5's on the meta device, since their own initialization takes minutes."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            sample_size=64, cross_attention_dim=768, attention_head_dim=8, block_out_channels=(320, 640, 1280, 1280)
        )
        autoencoder = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), layers_per_block=2, sample_size=512,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        )  # fmt: skip
        text_encoder = CLIPTextModel(full_text_config())
    return Networks(unet, autoencoder, {CLIP_L.key: text_encoder})


def full_text_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, projection_dim=768,
        bos_token_id=49406, eos_token_id=49407, pad_token_id=49407,
    )  # fmt: skip


def _filled(network: torch.nn.Module) -> Any:
    """Small random weights, and norms that leave things as they are."""
    network = network.to_empty(device="cpu")
    draw = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if value.dtype.is_floating_point:
            value.fill_(1.0) if "norm" in name and name.endswith("weight") else value.normal_(0, 0.02, generator=draw)
        else:
            value.copy_(torch.arange(value.numel()).reshape(value.shape))  # places of tokens
    return network
