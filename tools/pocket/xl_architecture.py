"""Networks of pocket-xl: Stable Diffusion XL's classes, small. Its autoencoder is the pocket model's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from lib_ti.families.clip import END, POSITIONS, START, VOCABULARY
from lib_ti.families.family import TextEncoderSpec
from lib_ti.families.sdxl import SDXL

# The tables of 49,408 vectors are a third of the file, so the encoders are narrow; their widths and the pooled vector's
# differ, so that nothing can be mixed up unnoticed.
WIDTHS: Mapping[str, int] = {"clip_l": 20, "clip_g": 32}
POOLED = 40
TEXT_LAYERS = 3
"""Of each encoder; the UNet sees the output of the one before the last, as Stable Diffusion XL's does."""
TIME_WIDTH = 16
"""Numbers that each of the six numbers of size and crop becomes."""
HEAD_CHANNELS = 12

UNET_CONFIG: dict[str, Any] = {
    "sample_size": 8,
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "block_out_channels": (96, 96),
    "layers_per_block": 1,
    "cross_attention_dim": sum(WIDTHS.values()),
    "attention_head_dim": 96 // HEAD_CHANNELS,  # diffusers' name for the number of heads
    "norm_num_groups": 32,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": TIME_WIDTH,
    "projection_class_embeddings_input_dim": POOLED + 6 * TIME_WIDTH,
}


def new_unet() -> UNet2DConditionModel:
    """Return an untrained UNet.

    It takes latents (B, 4, 8, 8), timesteps (B,), context (B, 77, 52), pooled (B, 40) and sizes (B, 6), and returns
    noise (B, 4, 8, 8).
    """
    return UNet2DConditionModel(**UNET_CONFIG)


def new_text_encoders() -> dict[str, CLIPTextModel]:
    """Return untrained text encoders by their keys: tokens (B, 77) -> (B, 77, width) after each layer."""
    return {spec.key: _text_encoder(spec) for spec in SDXL.encoders}


def text_config(spec: TextEncoderSpec) -> dict[str, Any]:
    """Return the configuration of a text encoder in the terms of `transformers`."""
    width = WIDTHS[spec.key]
    return {
        "vocab_size": VOCABULARY,
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": TEXT_LAYERS,
        "num_attention_heads": 1,  # a head has 64 numbers, or all of fewer
        "max_position_embeddings": POSITIONS,
        "hidden_act": spec.activation,
        "projection_dim": POOLED if spec.pooled else width,
        "bos_token_id": START,
        "eos_token_id": END,
        "pad_token_id": spec.pad,
    }


def _text_encoder(spec: TextEncoderSpec) -> CLIPTextModel:
    config = CLIPTextConfig(**text_config(spec))
    return CLIPTextModelWithProjection(config) if spec.pooled else CLIPTextModel(config)
