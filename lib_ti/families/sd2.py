"""Stable Diffusion 2."""

from __future__ import annotations

from lib_ti.families.family import Family, ModelTraits, TextEncoderSpec, single_layout

CLIP_H = TextEncoderSpec(
    key="clip_h",
    width=1024,
    layer_from_end=2,
    weights="cond_stage_model.model.",
    naming="open_clip",
    pad=0,
    activation="gelu",
)
MODEL = ModelTraits(
    sizes={"v": 768, "eps": 512},
    conditioning=frozenset({"crossattn"}),
    scale_factor=0.18215,
    linear_start=0.00085,
    linear_end=0.0120,
    either_prediction=True,
    head_channels=64,
)
SD2 = Family(key="sd2", label="SD 2", encoders=(CLIP_H,), layout=single_layout(CLIP_H.key), model=MODEL)
