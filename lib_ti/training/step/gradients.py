"""Clipping and checking of gradients, without waiting for the device."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def clip(gradients: Mapping[str, Tensor], how: str, limit: float) -> dict[str, Tensor]:
    """Clip gradients by ``"value"`` or by their common ``"norm"``; unchanged for ``"disabled"``."""
    if how == "value":
        return {key: gradient.clamp(-limit, limit) for key, gradient in gradients.items()}
    if how == "norm":
        norm = torch.stack([gradient.norm() for gradient in gradients.values()]).norm()
        factor = (limit / (norm + 1e-6)).clamp(max=1.0)
        return {key: gradient * factor for key, gradient in gradients.items()}
    return dict(gradients)


def all_finite(*tensors: Tensor) -> Tensor:
    """Return a bool scalar on the device: whether no value is infinite or NaN."""
    return torch.stack([torch.isfinite(tensor).all() for tensor in tensors]).all()
