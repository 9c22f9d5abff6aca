"""Optimizers for a handful of vectors, none of which waits for the device.

A few kilobytes are optimised, so that the cost of a step is the number of kernels and of round trips to the device, not
arithmetic. Whether a step is applied (is everything finite?) is therefore decided on the device by ``torch.where``;
nothing here reads a value back. State is a flat dict of tensors, ready to be saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

ADAMW = "adamw"


class Optimizer(Protocol):
    """Updates leaf tensors in place. Its name is part of a run's identity: none continues the state of another."""

    @property
    def name(self) -> str: ...

    def step(self, gradients: Mapping[str, Tensor], learning_rate: float, apply: Tensor) -> Tensor:
        """Update the vectors once, where ``apply`` (a bool scalar on the device) is true and the result is finite.

        Returns
        -------
        Tensor
            Bool scalar on the device: whether the vectors were updated.
        """
        ...

    def state(self) -> dict[str, Tensor]:
        """Return everything but the vectors that the next step depends on."""
        ...

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Restore a state of equally shaped vectors; tensors are copied and moved to the device."""
        ...


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), equal to ``torch.optim.AdamW`` step by step.

    Parameters
    ----------
    vectors
        Leaf tensors by name; changed in place.
    """

    name = ADAMW

    def __init__(
        self,
        vectors: Mapping[str, Tensor],
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self._vectors = dict(vectors)
        self._betas, self._eps, self._weight_decay = betas, eps, weight_decay
        device = next(iter(self._vectors.values())).device
        # Skipped steps do not count in the bias correction.
        self._updates = torch.zeros((), dtype=torch.float64, device="cpu" if device.type == "mps" else device)
        self._mean = {key: torch.zeros_like(vector) for key, vector in self._vectors.items()}
        self._square = {key: torch.zeros_like(vector) for key, vector in self._vectors.items()}

    @torch.no_grad()
    def step(self, gradients: Mapping[str, Tensor], learning_rate: float, apply: Tensor) -> Tensor:
        first, second = self._betas
        updates = self._updates + 1
        correction_mean = (1 - first**updates).float()
        correction_square = (1 - second**updates).float()
        updated: dict[str, tuple[Tensor, Tensor, Tensor]] = {}
        for key, vector in self._vectors.items():
            gradient = gradients[key]
            mean = torch.lerp(self._mean[key], gradient, 1 - first)
            square = second * self._square[key] + (1 - second) * gradient * gradient
            step = (mean / correction_mean) / ((square / correction_square).sqrt() + self._eps)
            decayed = vector * (1 - learning_rate * self._weight_decay) if self._weight_decay else vector
            updated[key] = (decayed - learning_rate * step, mean, square)
            apply = apply & torch.isfinite(updated[key][0]).all()
        for key, (vector, mean, square) in updated.items():
            self._vectors[key].copy_(torch.where(apply, vector, self._vectors[key]))
            self._mean[key] = torch.where(apply, mean, self._mean[key])
            self._square[key] = torch.where(apply, square, self._square[key])
        self._updates = torch.where(apply.to(self._updates.device), updates, self._updates)
        return apply

    def state(self) -> dict[str, Tensor]:
        tensors = {"updates": self._updates}
        for key in self._vectors:
            tensors[f"mean.{key}"] = self._mean[key]
            tensors[f"square.{key}"] = self._square[key]
        return tensors

    def load(self, state: Mapping[str, Tensor]) -> None:
        self._updates = state["updates"].to(self._updates)
        for key, vector in self._vectors.items():
            self._mean[key] = state[f"mean.{key}"].to(vector).clone()
            self._square[key] = state[f"square.{key}"].to(vector).clone()


RUN_OPTIMIZER = AdamW
"""The optimizer of runs. A setting that chooses among several would be read here."""
