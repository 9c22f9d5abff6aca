"""Stable Diffusion 2, of which only embeddings are handled."""

from __future__ import annotations

from lib_ti.families.family import Family, TextEncoderSpec, single_layout

CLIP_H = TextEncoderSpec(key="clip_h", width=1024, layer_from_end=2, weights="cond_stage_model.model.")
SD2 = Family(key="sd2", label="SD 2", encoders=(CLIP_H,), layout=single_layout(CLIP_H.key))
