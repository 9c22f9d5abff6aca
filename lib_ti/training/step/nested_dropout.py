"""Nested dropout of an embedding's vectors: each batch uses only the first of them, a random number.

A vector is never used without those before it, so that the first ones learn to do without the rest (Rippel et al. 2014,
Learning Ordered Representations with Nested Dropout).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from lib_ti.training.step import diffusion

VectorsInUse = Callable[[int, int], int]
"""Called with the index of a micro-batch and an embedding's number of vectors; returns how many of them it uses."""


def all_vectors(index: int, count: int) -> int:  # noqa: ARG001
    """Use all vectors in every batch."""
    return count


@dataclass(frozen=True)
class NestedDropout:
    """Uses 1 to all vectors, each number equally often: a pure function of seed and index, computed on the CPU."""

    seed: int

    def __call__(self, index: int, count: int) -> int:
        rng = diffusion.generator(self.seed, "vectors", index)
        return int(torch.randint(1, count + 1, (), generator=rng))
