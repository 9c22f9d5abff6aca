"""Inpainting by a model that was not made for it.

The masked area starts as its blurred surroundings under noise. At every step the model's prediction of the clean image
is replaced by the image itself outside the mask, so that what is generated fits into it.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from lib_ti.errors import BadInput, said_when_memory_is_full
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.inpainted_patch import OUT_OF_MEMORY, STRENGTH, cut_out, put_back
from lib_ti.prompt_syntax import parse, problems

_STEPS = 30
_GUIDANCE = 7.0
_SEEDS = 2**32


class EmbeddedInpainter:
    """Inpaints with a session's model, as long as the session; see :class:`lib_ti.host.tools.Inpainter`."""

    def __init__(self, model: EmbeddedModel) -> None:
        self._model = model

    def fill(self, image: Image.Image, mask: Image.Image, *, prompt: str, seed: int) -> Image.Image:
        if not 0 <= seed < _SEEDS:
            raise BadInput(f"The seed {seed} is not between 0 and {_SEEDS - 1}.")
        if found := list(problems(prompt)):
            raise BadInput(found)
        patch = cut_out(image, mask, self._model.info.size)
        if patch is None:
            return image.copy()
        with said_when_memory_is_full(OUT_OF_MEMORY):
            generated = self._inpaint(patch.image, patch.mask, prompt, seed)
        return put_back(image, mask, patch, generated)

    @torch.no_grad()
    def _inpaint(self, image: Image.Image, mask: Image.Image, prompt: str, seed: int) -> Image.Image:
        """Return the image with the masked part inpainted, by deterministic steps (Song et al. 2021, eq. 12)."""
        model = self._model
        known = model.encode_images(_pixels(image)).mean.cpu()
        size = mask.width // VAE_SCALE_FACTOR, mask.height // VAE_SCALE_FACTOR
        cells = mask.resize(size, Image.Resampling.NEAREST)
        wanted = torch.from_numpy(np.array(cells)).gt(127)
        predict = model.guided([(parse(prompt), "")], (), _GUIDANCE if prompt else 1.0, image.size)
        alphas = model.alphas_cumprod.cpu()
        timesteps = torch.linspace(STRENGTH * (len(alphas) - 1), 0, _STEPS).round().long()
        guess = known
        noise = torch.randn(known.shape, generator=torch.Generator().manual_seed(seed))
        for timestep in timesteps:
            signal, sigma = alphas[timestep].sqrt(), (1 - alphas[timestep]).sqrt()
            latents = signal * guess + sigma * noise
            predicted = predict(latents, timestep)
            if model.info.prediction == "v":
                guess = signal * latents - sigma * predicted
            else:
                guess = (latents - sigma * predicted) / signal
            guess = torch.where(wanted, guess, known)
            noise = (latents - signal * guess) / sigma
        return model.decode(guess)[0]


def _pixels(image: Image.Image) -> torch.Tensor:
    """Return an RGB image as (1, 3, H, W) in -1..1."""
    levels = torch.from_numpy(np.array(image, dtype=np.float32))
    return (levels / 127.5 - 1).permute(2, 0, 1)[None].contiguous()
