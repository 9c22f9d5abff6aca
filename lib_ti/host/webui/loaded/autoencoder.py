"""The distribution of latents, by ldm's and by sgm's autoencoders."""

from __future__ import annotations

from typing import Any

from sgm.models.autoencoder import AutoencoderKL
from torch import Tensor


def latent_distribution(autoencoder: Any, pixels: Tensor) -> Any:
    """Encode pixels (B, 3, H, W) to the distribution of their latents, an object with ``mean`` and ``std``.

    In sgm's models ``encode`` returns a sample. The class below returns what it is sampled from, and goes past the
    WebUI's own ``encode`` with --medvram, which moves the autoencoder to the device.
    """
    if isinstance(autoencoder, AutoencoderKL):
        return AutoencoderKL.encode(autoencoder, pixels)
    return autoencoder.encode(pixels)
