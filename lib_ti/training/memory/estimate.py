"""Estimate of the memory that a step takes beside the model, from trial steps on the model that will be trained on.

On a graphics card, one image of the training size goes through a step. Elsewhere that would take long, and latents so
small that a step takes a moment have to do: memory grows with the number of latent pixels, and where attention keeps
its whole matrix also with the square of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.host.model import Conditions, Model
from lib_ti.training.memory.device import metered
from lib_ti.training.step.trial import take_trial_step, trial_leaves

_SIDES = (8, 16, 24)
"""Latent sides of the small trial steps: multiples of 8, as UNets halve them up to three times."""
_SLACK = 1.1
"""What allocators lose between their blocks."""


@dataclass(frozen=True)
class StepMemory:
    """Bytes that a step takes: for each image in the UNet, for each prompt of the batch, and in any case."""

    image: float
    prompt: float
    rest: float

    def of(self, images: int, batch_size: int) -> int:
        """Return the bytes of a step with ``images`` of the batch in the UNet at once."""
        return int(_SLACK * (self.rest + images * self.image + batch_size * self.prompt))


def estimate(model: Model, embedding: Embedding, prompt: str, size: tuple[int, int], *, full: bool) -> StepMemory:
    """Return the memory of a step with the present checkpointing of the model.

    Parameters
    ----------
    prompt
        One that the training will use, with the embedding's name in it.
    size
        Width and height of the training images in pixels.
    full
        Whether to try that size itself, with one image, which may run out of memory.
    """
    text = _text(model, embedding, prompt)
    if full:
        _most(model, embedding, prompt, size)  # pays for what is set up once
        return StepMemory(_most(model, embedding, prompt, size) - text, text, 0)
    sides = [side * VAE_SCALE_FACTOR for side in (_SIDES[0], *_SIDES)]
    peaks = [_most(model, embedding, prompt, (side, side)) for side in sides]
    wanted = math.ceil(size[0] / VAE_SCALE_FACTOR) * math.ceil(size[1] / VAE_SCALE_FACTOR)
    image, rest = _extended([side * side for side in _SIDES], peaks[1:], wanted)
    return StepMemory(image, text, max(0.0, rest - text))


def _most(model: Model, embedding: Embedding, prompt: str, size: tuple[int, int]) -> int:
    with metered(model.device) as meter:
        take_trial_step(model, embedding, [prompt], size)
    return meter.most()


def _text(model: Model, embedding: Embedding, prompt: str) -> int:
    """Return the bytes that the text encoders keep of a prompt for the backward pass."""
    with metered(model.device) as meter, torch.enable_grad():
        live = embedding.with_vectors(trial_leaves(model, embedding), step=embedding.step)
        kept = model.encode_prompts(Conditions.whole([prompt], width=64, height=64), [live])
        found = meter.now()
        del kept
    return found


def _extended(pixels: list[int], peaks: list[int], wanted: int) -> tuple[float, float]:
    """Extend the parabola through three points to ``wanted`` pixels, or a line where it would bend down.

    Returns
    -------
    tuple
        The part that grows with the pixels, and the part that does not.
    """
    bend, slope, rest = np.polyfit(np.array(pixels, dtype=float), np.array(peaks, dtype=float), 2)
    if bend < 0:
        bend, slope = 0.0, (peaks[-1] - peaks[0]) / (pixels[-1] - pixels[0])
        rest = peaks[-1] - slope * pixels[-1]
    return max(0.0, bend * wanted * wanted + slope * wanted), rest
