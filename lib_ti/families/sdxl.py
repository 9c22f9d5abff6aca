"""Stable Diffusion XL."""

from __future__ import annotations

from lib_ti.families.family import EmbeddingLayout, Family, ModelTraits, TextEncoderSpec

CLIP_L = TextEncoderSpec(
    key="clip_l",
    width=768,
    layer_from_end=2,
    weights="conditioner.embedders.0.transformer.text_model.",
    normed=False,
)
CLIP_G = TextEncoderSpec(
    key="clip_g",
    width=1280,
    layer_from_end=2,
    weights="conditioner.embedders.1.model.",
    naming="open_clip",
    normed=False,
    pad=0,
    activation="gelu",
    pooled=True,
)
MODEL = ModelTraits(
    sizes={"eps": 1024, "v": 1024},
    conditioning=frozenset({"crossattn", "pooled", "sizes"}),
    scale_factor=0.13025,
    linear_start=0.00085,
    linear_end=0.0120,
    library="sgm",
    zero_without_negative=True,
    head_channels=64,
)
SDXL = Family(
    key="sdxl",
    label="SDXL",
    encoders=(CLIP_L, CLIP_G),
    layout=EmbeddingLayout(
        tensors={"clip_l": "clip_l", "clip_g": "clip_g"},
        string_to_param=False,
        also_read=({"clip_l": "text_encoders_0", "clip_g": "text_encoders_1"},),
    ),
    model=MODEL,
)
