"""Description of a loaded model, the same for all hosts."""

from __future__ import annotations

import math
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
    recognized: str = ""
    """A sentence on what the checkpoint was recognized as, and by what."""

    @property
    def word_rms(self) -> dict[str, float]:
        """RMS of a coordinate of ordinary words' vectors by encoder, the unit of relative learning rates: about 0.0144
        for SD1. The first encoder's is that of the settings."""
        return {key: self.word_norm[key] / math.sqrt(width) for key, width in self.widths.items()}

    @property
    def first_word_rms(self) -> float:
        """:attr:`word_rms` of the family's first encoder."""
        return next(iter(self.word_rms.values()))

    @property
    def encoder_scales(self) -> dict[str, float]:
        """:attr:`word_rms` by encoder in units of the first one's."""
        return {key: rms / self.first_word_rms for key, rms in self.word_rms.items()}
