"""Optimizers for a handful of vectors, none of which waits for the device.

A few kilobytes are optimised, so that the cost of a step is the number of kernels and of round trips to the device, not
arithmetic. Whether a step is applied (is everything finite?) is therefore decided on the device by ``torch.where``;
nothing here reads a value back. State is a flat dict of tensors, ready to be saved.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from lib_ti.training.step.norms import Constraint, FixedNorm, turned, unconstrained

ADAMW, DIRECTIONAL = "adamw", "directional"
FREE, FIXED, DIRECTION = "free", "fixed", "direction"
"""Choices of the setting ``vector_norm``."""
NO_SCALES: Mapping[str, float] = MappingProxyType({})


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
    constraint
        Applied to the vectors after each update.
    scales
        Factors of the learning rate by name; 1 where there is none.
    """

    name = ADAMW

    def __init__(
        self,
        vectors: Mapping[str, Tensor],
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        constraint: Constraint = unconstrained,
        scales: Mapping[str, float] = NO_SCALES,
    ) -> None:
        self._vectors, self._constraint, self._scales = dict(vectors), constraint, dict(scales)
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
            gradient, rate = gradients[key], learning_rate * self._scales.get(key, 1.0)
            mean = torch.lerp(self._mean[key], gradient, 1 - first)
            square = second * self._square[key] + (1 - second) * gradient * gradient
            step = (mean / correction_mean) / ((square / correction_square).sqrt() + self._eps)
            decayed = vector * (1 - rate * self._weight_decay) if self._weight_decay else vector
            updated[key] = (self._constraint(key, decayed - rate * step), mean, square)
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


class Directional:
    """Turns each vector along the sphere of its norm, by an angle that depends on the learning rate alone.

    Riemannian gradient descent on the direction with normalized gradients (Kim et al. 2026, Directional Textual
    Inversion), without their prior towards the initial direction. The learning rate is, as Adam's, about the change of
    a coordinate: the angle in radians is ``learning_rate * sqrt(width) / norm``, at most a right angle. With SD1's
    words, of norm 0.4, that is 0.35 for 0.005.

    Parameters
    ----------
    vectors
        Leaf tensors by name; changed in place.
    targets
        The norms (count,) by the same names, all above 0.
    scales
        Factors of the learning rate by name; 1 where there is none.
    """

    name = DIRECTIONAL

    def __init__(
        self,
        vectors: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
        *,
        scales: Mapping[str, float] = NO_SCALES,
    ) -> None:
        self._vectors, self._scales = dict(vectors), dict(scales)
        self._targets = {key: targets[key].to(vector)[:, None] for key, vector in self._vectors.items()}
        self._updates = torch.zeros((), device=next(iter(self._vectors.values())).device)

    @torch.no_grad()
    def step(self, gradients: Mapping[str, Tensor], learning_rate: float, apply: Tensor) -> Tensor:
        updated = {}
        for key, vector in self._vectors.items():
            targets = self._targets[key]
            angle = angle_of(learning_rate * self._scales.get(key, 1.0), vector.shape[1], targets)
            updated[key] = turned(vector, gradients[key], angle, targets)
            apply = apply & torch.isfinite(updated[key]).all()
        for key, vector in updated.items():
            self._vectors[key].copy_(torch.where(apply, vector, self._vectors[key]))
        self._updates = torch.where(apply, self._updates + 1, self._updates)
        return apply

    def state(self) -> dict[str, Tensor]:
        """Return the number of updates, by which a state of this optimizer is told from none."""
        return {"updates": self._updates}

    def load(self, state: Mapping[str, Tensor]) -> None:
        self._updates = state["updates"].to(self._updates)


def angle_of(learning_rate: float, width: int, norms: Tensor) -> Tensor:
    """Return by what angle a step turns vectors of ``norms``, in radians, at most a right angle."""
    return (learning_rate * math.sqrt(width) / norms).clamp(max=math.pi / 2)


def optimizer_name(vector_norm: str) -> str:
    """Return the name of the optimizer of a run."""
    return DIRECTIONAL if vector_norm == DIRECTION else ADAMW


def build_optimizer(
    vectors: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    *,
    vector_norm: str,
    weight_decay: float,
    scales: Mapping[str, float] = NO_SCALES,
) -> Optimizer:
    """Return the optimizer of a run.

    Parameters
    ----------
    targets
        The norms (count,) that vectors keep unless ``vector_norm`` is free, by leaf; moved to the vectors' device.
    scales
        Factors of the learning rate by leaf; 1 where there is none.
    """
    targets = {key: targets[key].to(vector) for key, vector in vectors.items()}
    if vector_norm == DIRECTION:
        return Directional(vectors, targets, scales=scales)
    constraint = FixedNorm(targets) if vector_norm == FIXED else unconstrained
    return AdamW(vectors, weight_decay=weight_decay, constraint=constraint, scales=scales)
