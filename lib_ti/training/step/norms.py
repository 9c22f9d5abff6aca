"""Norms of the vectors: where they start, and what keeps them there. Nothing here waits for the device.

Without a constraint, training lengthens vectors severalfold: the gradient of a loss that hardly depends on a vector's
length is orthogonal to it, so that every step adds to the norm. Longer vectors turn less at the same learning rate,
which slows learning down (Kim et al. 2026, Directional Textual Inversion).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.model_info import ModelInfo

Constraint = Callable[[str, Tensor], Tensor]
"""Called with a leaf's name and its updated vectors (count, width); returns those that are applied."""
INITIAL_NORMS = "initial_norms"
"""Key of the recipe: by encoder, the norms of the vectors that an embedding's training started from."""
NEAR_ZERO = 0.05
"""Share of an ordinary word's norm below which a vector has no norm worth keeping, such as one started with zeros."""
_TINY = 1e-12


def unconstrained(key: str, vectors: Tensor) -> Tensor:  # noqa: ARG001
    """Return the vectors unchanged, as the WebUI does."""
    return vectors


class FixedNorm:
    """Sets every vector back to its target norm.

    Parameters
    ----------
    targets
        (count,) by the leaf's name, all above 0.
    """

    def __init__(self, targets: Mapping[str, Tensor]) -> None:
        self._targets = {key: target[:, None] for key, target in targets.items()}

    def __call__(self, key: str, vectors: Tensor) -> Tensor:
        return vectors * (self._targets[key] / vectors.norm(dim=1, keepdim=True).clamp(min=_TINY))


def turned(vectors: Tensor, gradients: Tensor, angle: Tensor, targets: Tensor) -> Tensor:
    """Return vectors of the target norms, turned along the sphere, away from the gradient.

    A vector of zeros gets the direction opposite to its gradient; one without a tangential gradient is not turned.

    Parameters
    ----------
    vectors, gradients
        (count, width).
    angle, targets
        (count, 1); the angle is in radians.
    """
    unit = vectors / vectors.norm(dim=1, keepdim=True).clamp(min=_TINY)
    # In units of its largest value first: squares of small gradients vanish in float32.
    gradients = gradients / gradients.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(gradients.dtype).tiny)
    tangent = gradients - (gradients * unit).sum(dim=1, keepdim=True) * unit
    tangent = tangent / tangent.norm(dim=1, keepdim=True).clamp(min=_TINY)
    moved = unit * angle.cos() - tangent * angle.sin()
    return targets * moved / moved.norm(dim=1, keepdim=True).clamp(min=_TINY)


def norms_of(vectors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the norms (count,) of vectors (count, width), float32 on the CPU."""
    return {key: tensor.detach().float().cpu().norm(dim=1) for key, tensor in vectors.items()}


def norm_range(norms: Sequence[float]) -> str:
    """Return the range of some norms as text, such as “0.38 to 0.41”."""
    low, high = (f"{norm:.2g}" for norm in (min(norms), max(norms)))
    return low if low == high else f"{low} to {high}"


def recorded_norms(embedding: Embedding) -> dict[str, Tensor] | None:
    """Return the initial norms that an embedding's file records; None where it has none, or unusable ones."""
    recorded = embedding.recipe.get(INITIAL_NORMS)
    if not isinstance(recorded, dict):
        return None
    norms = {key: recorded.get(key) for key in embedding.vectors}
    if not all(_usable(norms[key], len(tensor)) for key, tensor in embedding.vectors.items()):
        return None
    return {key: torch.tensor(values) for key, values in norms.items()}


def initial_norms(embedding: Embedding) -> dict[str, Tensor]:
    """Return the norms that the embedding's training started from, (count,) by encoder; the present ones if unknown."""
    return recorded_norms(embedding) or norms_of(embedding.vectors)


def near_zero(norms: Mapping[str, Tensor], info: ModelInfo) -> dict[str, Tensor]:
    """Return by encoder which vectors have next to no norm, (count,) bool."""
    return {key: norm < NEAR_ZERO * info.word_norm[key] for key, norm in norms.items()}


def target_norms(norms: Mapping[str, Tensor], info: ModelInfo) -> dict[str, Tensor]:
    """Return the norms to keep: the initial ones, and an ordinary word's in place of those near zero."""
    missing = near_zero(norms, info)
    return {
        key: torch.where(missing[key], torch.full_like(norm, info.word_norm[key]), norm) for key, norm in norms.items()
    }


def _usable(values: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(value, int | float) and math.isfinite(value) and value >= 0 for value in values)
    )
