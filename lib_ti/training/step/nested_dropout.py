"""Nested dropout of an embedding's vectors: each image is trained with only the first of them, a random number.

A vector is never used without those before it, so that the first ones learn to do without the rest (Rippel et al. 2014,
Learning Ordered Representations with Nested Dropout).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from lib_ti.training.step import diffusion

VectorsInUse = Callable[[int, int, int], Sequence[int]]
"""Called with the index of a micro-batch, its number of images and an embedding's number of vectors; returns for each
image how many of the vectors it uses, never fewer than the image before it."""


def all_vectors(index: int, images: int, count: int) -> Sequence[int]:  # noqa: ARG001
    """Use all vectors for every image."""
    return [count] * images


@dataclass(frozen=True)
class NestedDropout:
    """Uses 1 to all vectors, each number equally often: a pure function of seed and index, computed on the CPU.

    The numbers of one batch are spread evenly. With one number for a whole batch, steps pull in different directions,
    and the pocket model's concepts were often not learned in the first vectors: see ``python dev.py bench vectors``.
    """

    seed: int

    def __call__(self, index: int, images: int, count: int) -> Sequence[int]:
        rng = diffusion.generator(self.seed, "vectors", index)
        offset = float(torch.rand((), generator=rng))
        return [min(count, 1 + int((place + offset) / images * count)) for place in range(images)]
