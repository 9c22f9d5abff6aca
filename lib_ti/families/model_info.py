"""Description of a loaded model, the same for all hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lib_ti.families.family import FamilyKey, Prediction


@dataclass(frozen=True)
class ModelInfo:
    """Description of a loaded model."""

    name: str
    """Checkpoint name without suffix, as the WebUI shows it."""
    hash: str
    """First ten hexadecimal digits of the checkpoint file's SHA-256 (the WebUI's ``shorthash``)."""
    family: FamilyKey
    prediction: Prediction
    widths: Mapping[str, int]
    """Width of the input token embeddings by encoder: ``{"clip_l": 768}`` for SD1."""
    autoencoder: str
    """Identity of the autoencoder's weights; part of the key of cached latents."""
    size: int
    """Image side in pixels that the model was made for: 512 for SD1."""
    word_norm: Mapping[str, float]
    """Norm of an ordinary word's vector by encoder, the scale of learned vectors and of their learning rate: the RMS
    over :data:`lib_ti.families.clip.ORDINARY_WORDS`, about 0.4 for SD1."""
