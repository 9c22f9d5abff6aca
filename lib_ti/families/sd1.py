"""Stable Diffusion 1."""

from __future__ import annotations

from lib_ti.families.family import Family, ModelTraits, TextEncoderSpec, single_layout

CLIP_L = TextEncoderSpec(key="clip_l", width=768, layer_from_end=1, weights="cond_stage_model.transformer.text_model.")
MODEL = ModelTraits(
    sizes={"eps": 512, "v": 512},
    conditioning=frozenset({"crossattn"}),
    scale_factor=0.18215,
    linear_start=0.00085,
    linear_end=0.0120,
    heads=8,
)
SD1 = Family(key="sd1", label="SD 1", encoders=(CLIP_L,), layout=single_layout(CLIP_L.key), model=MODEL)
