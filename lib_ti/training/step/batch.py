"""What one forward and backward pass works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from lib_ti.host.model import Conditions


@dataclass(frozen=True)
class TrainingBatch:
    """Latents (B, 4, h, w), loss weights (B, 1, h, w) or None, B prompts with sizes, and the position in the data."""

    latents: Tensor
    weight: Tensor | None
    conditions: Conditions
    epoch: int
    position: int


Batches = Callable[[int], TrainingBatch]
"""Returns the micro-batch of an index, counted from 0 over the embedding's life; a pure function."""
