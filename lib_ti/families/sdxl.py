"""Stable Diffusion XL, of which only embeddings are handled."""

from __future__ import annotations

from lib_ti.families.family import EmbeddingLayout, Family, TextEncoderSpec

CLIP_L = TextEncoderSpec(
    key="clip_l", width=768, layer_from_end=2, weights="conditioner.embedders.0.transformer.text_model."
)
CLIP_G = TextEncoderSpec(key="clip_g", width=1280, layer_from_end=2, weights="conditioner.embedders.1.model.")
SDXL = Family(
    key="sdxl",
    label="SDXL",
    encoders=(CLIP_L, CLIP_G),
    layout=EmbeddingLayout(
        tensors={"clip_l": "clip_l", "clip_g": "clip_g"},
        string_to_param=False,
        also_read=({"clip_l": "text_encoders_0", "clip_g": "text_encoders_1"},),
    ),
)
