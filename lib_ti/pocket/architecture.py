"""Networks of the pocket model: Stable Diffusion 1's classes, small."""

from __future__ import annotations

from typing import Any

from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

SCALE_FACTOR = 0.18215  # Stable Diffusion 1: latents are multiplied by it before the UNet
WIDTH = 44  # of a token vector; 49,408 of them are a quarter of the file
HEADS = 8  # attention heads in every block, as in Stable Diffusion 1

# The ldm format fixes 32 groups in every normalisation. With one or two channels a group the level of a flat area does
# not survive the last one, so the autoencoder has three, and saves by having no residual block on the way down.
VAE_CHANNELS = (96, 96, 96, 96)
UNET_CHANNELS = (96, 96)

VAE_CONFIG: dict[str, Any] = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": VAE_CHANNELS,
    "layers_per_block": 0,
    "latent_channels": 4,
    "norm_num_groups": 32,
    "sample_size": 64,
    "scaling_factor": SCALE_FACTOR,
}
UNET_CONFIG: dict[str, Any] = {
    "sample_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "block_out_channels": UNET_CHANNELS,
    "layers_per_block": 1,
    "cross_attention_dim": WIDTH,
    "attention_head_dim": HEADS,  # diffusers' name for the number of heads
    "norm_num_groups": 32,
    "use_linear_projection": False,
}
TEXT_CONFIG: dict[str, Any] = {
    "vocab_size": 49408,
    "hidden_size": WIDTH,
    "intermediate_size": 4 * WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "projection_dim": WIDTH,
    "bos_token_id": 49406,
    "eos_token_id": 49407,
    "pad_token_id": 49407,
}


def new_vae() -> AutoencoderKL:
    """Return an untrained autoencoder: (B, 3, 64, 64) in -1..1 <-> latents (B, 4, 8, 8)."""
    return AutoencoderKL(**VAE_CONFIG)


def new_unet() -> UNet2DConditionModel:
    """Return an untrained UNet: latents (B, 4, 8, 8), timesteps (B,), context (B, 77, 44) -> noise (B, 4, 8, 8)."""
    return UNet2DConditionModel(**UNET_CONFIG)


def new_text_encoder() -> CLIPTextModel:
    """Return an untrained text encoder: tokens (B, 77) -> (B, 77, 44)."""
    return CLIPTextModel(CLIPTextConfig(**TEXT_CONFIG))
