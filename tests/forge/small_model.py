"""The smallest checkpoint that Forge and reForge take for Stable Diffusion 1: random weights, 0.5 GB.

Both know a family by the width of the UNet and of the prompts, and have fixed descriptions of CLIP and autoencoder: so
these are complete, and the UNet has fewer levels and blocks only, which both read from its weights.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from lib_ti.families.sd1 import CLIP_L
from lib_ti.host.embedded.files.ldm_names import UNET
from lib_ti.host.embedded.networks import Networks
from tests.networks import in_ldm_format


def write_small_models(folder: Path, *names: str) -> None:
    """Write checkpoints in half precision that differ in their UNet's first layer."""
    weights = {name: tensor.half() for name, tensor in in_ldm_format(small_networks()).items()}
    for name in names:
        save_file(weights, folder / name)
        weights[f"{UNET}input_blocks.0.0.weight"] = weights[f"{UNET}input_blocks.0.0.weight"] * 0.5


def small_networks() -> Networks:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet = UNet2DConditionModel(
            block_out_channels=(320, 320),
            layers_per_block=1,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            cross_attention_dim=CLIP_L.width,
            attention_head_dim=8,
        )
        autoencoder = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        )
        text_encoder = CLIPTextModel(
            CLIPTextConfig(
                hidden_size=CLIP_L.width,
                intermediate_size=3072,
                num_hidden_layers=12,
                num_attention_heads=12,
                hidden_act="quick_gelu",
                projection_dim=CLIP_L.width,
            )
        )
    return Networks(unet.eval(), autoencoder.eval(), {CLIP_L.key: text_encoder.eval()})
