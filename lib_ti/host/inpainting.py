"""Filling parts of pictures by a Stable Diffusion 1 model that was not made for it.

The part begins as its surroundings, blurred, under noise. At every step the model's guess of the picture is replaced by
the picture itself wherever nothing is to be drawn, so that what is drawn grows into it.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from lib_ti.errors import BadInput, said_when_memory_is_full
from lib_ti.host.embedded_model import EmbeddedModel
from lib_ti.host.patch import CELL, FULL_MEMORY, STRENGTH, cut_out, put_back
from lib_ti.prompt_syntax import parse, problems

_STEPS = 30
_GUIDANCE = 7.0
_SEEDS = 2**32


class EmbeddedInpainter:
    """See :class:`lib_ti.host.base.Inpainter`; works with the session's model, and ends with it."""

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
        with said_when_memory_is_full(FULL_MEMORY):
            drawn = self._drawn(patch.image, patch.mask, prompt, seed)
        return put_back(image, mask, patch, drawn)

    @torch.no_grad()
    def _drawn(self, image: Image.Image, mask: Image.Image, prompt: str, seed: int) -> Image.Image:
        """The image with the masked part drawn anew, by deterministic steps (Song et al. 2021, eq. 12)."""
        model = self._model
        known = model.encode_images(_pixels(image)).mean.cpu()
        cells = mask.resize((mask.width // CELL, mask.height // CELL), Image.Resampling.NEAREST)
        wanted = torch.from_numpy(np.array(cells)).gt(127)
        predict = model.guided([(parse(prompt), "")], (), _GUIDANCE if prompt else 1.0)
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
    """An RGB picture as (1, 3, H, W) in -1..1."""
    levels = torch.from_numpy(np.array(image, dtype=np.float32))
    return (levels / 127.5 - 1).permute(2, 0, 1)[None].contiguous()
