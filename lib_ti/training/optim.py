"""AdamW over a handful of vectors, loss scaling and clipping, all without waiting for the device.

A few kilobytes are optimised, so that the cost of a step is the number of kernels and of round trips to the device, not
arithmetic. Whether a step is applied (is everything finite?) is therefore decided on the device by ``torch.where``,
as is the loss scale; nothing here reads a value back. State is a flat dict of tensors, ready to be saved.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

INITIAL_SCALE = 2.0**16
GROWTH_INTERVAL = 2000


class VectorAdamW:
    """Decoupled weight decay Adam (Loshchilov and Hutter 2019), equal to ``torch.optim.AdamW`` step by step.

    Parameters
    ----------
    vectors
        Leaf tensors by encoder name; changed in place.
    """

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
        # Updates really made: skipped steps do not count for the bias correction.
        self._updates = torch.zeros((), dtype=torch.float64, device="cpu" if device.type == "mps" else device)
        self._mean = {key: torch.zeros_like(vector) for key, vector in self._vectors.items()}
        self._square = {key: torch.zeros_like(vector) for key, vector in self._vectors.items()}

    @torch.no_grad()
    def step(self, gradients: Mapping[str, Tensor], rate: float, apply: Tensor) -> Tensor:
        """Move the vectors once, where ``apply`` (a bool scalar on the device) is true and the result is finite.

        Returns
        -------
        Tensor
            Bool scalar on the device: whether the vectors were moved.
        """
        first, second = self._betas
        updates = self._updates + 1
        correction_mean = (1 - first**updates).float()
        correction_square = (1 - second**updates).float()
        moved: dict[str, tuple[Tensor, Tensor, Tensor]] = {}
        for key, vector in self._vectors.items():
            gradient = gradients[key]
            mean = torch.lerp(self._mean[key], gradient, 1 - first)
            square = second * self._square[key] + (1 - second) * gradient * gradient
            step = (mean / correction_mean) / ((square / correction_square).sqrt() + self._eps)
            kept = vector * (1 - rate * self._weight_decay) if self._weight_decay else vector
            moved[key] = (kept - rate * step, mean, square)
            apply = apply & torch.isfinite(moved[key][0]).all()
        for key, (vector, mean, square) in moved.items():
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
        """Take over a state of equally shaped vectors; tensors are copied and moved to the device."""
        self._updates = state["updates"].to(self._updates)
        for key, vector in self._vectors.items():
            self._mean[key] = state[f"mean.{key}"].to(vector).clone()
            self._square[key] = state[f"square.{key}"].to(vector).clone()


class LossScale:
    """The factor that keeps small float16 gradients from vanishing (Micikevicius et al. 2018), or 1 where not needed.

    Halved when a gradient overflows, doubled after 2000 good steps in a row, as ``torch.cuda.amp.GradScaler`` does,
    and like the rest of this module without reading it back.
    """

    def __init__(self, *, enabled: bool, device: torch.device) -> None:
        self.enabled = enabled
        self.value = torch.tensor(INITIAL_SCALE if enabled else 1.0, device=device)
        self._good = torch.zeros((), device=device)

    def update(self, finite: Tensor) -> None:
        if not self.enabled:
            return
        good = torch.where(finite, self._good + 1, torch.zeros_like(self._good))
        grown = good >= GROWTH_INTERVAL
        scale = torch.where(finite, self.value, self.value * 0.5)
        self.value = torch.where(grown, scale * 2, scale)
        self._good = torch.where(grown, torch.zeros_like(good), good)

    def state(self) -> dict[str, Tensor]:
        """Empty where no scale is needed, so that a run that goes on in float16 begins with a scale of its own."""
        return {"scale": self.value, "good": self._good} if self.enabled else {}

    def load(self, state: Mapping[str, Tensor]) -> None:
        if self.enabled and state:
            self.value, self._good = state["scale"].to(self.value), state["good"].to(self._good)


def clip(gradients: Mapping[str, Tensor], how: str, limit: float) -> dict[str, Tensor]:
    """Gradients limited by ``"value"`` or by their common ``"norm"``, or as they are for ``"disabled"``."""
    if how == "value":
        return {key: gradient.clamp(-limit, limit) for key, gradient in gradients.items()}
    if how == "norm":
        norm = torch.stack([gradient.norm() for gradient in gradients.values()]).norm()
        factor = (limit / (norm + 1e-6)).clamp(max=1.0)
        return {key: gradient * factor for key, gradient in gradients.items()}
    return dict(gradients)


def all_finite(*tensors: Tensor) -> Tensor:
    """Bool scalar on the device: no infinity and no NaN anywhere."""
    return torch.stack([torch.isfinite(tensor).all() for tensor in tensors]).all()
