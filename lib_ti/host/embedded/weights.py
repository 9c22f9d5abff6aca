"""Copies of a checkpoint's weights for its networks, made in the order in which they lie in the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from lib_ti.host.embedded.stored_half import HALF

_AT_ONCE = 1 << 19
"""Numbers that are converted at once where that takes two steps: few enough to stay in the processor's cache."""


@dataclass(frozen=True)
class Weight:
    """A parameter of a network on the meta device, and its values.

    Parameters
    ----------
    source
        Values as they are in the file, of the parameter's size but for ones in its shape.
    dtype
        What they become.
    """

    network: torch.nn.Module
    name: str
    shape: torch.Size
    source: torch.Tensor
    dtype: torch.dtype


def load(weights: Iterable[Weight]) -> None:
    """Give each network its parameters, on the devices of their sources.

    They are copies, also where nothing is converted: the sources may be mapped from the file, which may be replaced
    while the model is in use.
    """
    copies: dict[torch.nn.Module, dict[str, torch.Tensor]] = {}
    for one in sorted(weights, key=lambda weight: weight.source.data_ptr()):
        source = one.source.reshape(one.shape)
        copies.setdefault(one.network, {})[one.name] = _copy(source, one.dtype)
    for network, own in copies.items():
        network.load_state_dict(own, strict=False, assign=True)


def _copy(source: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    if source.dtype == dtype or not {source.dtype, dtype} <= set(HALF):
        return source.to(dtype, copy=True, memory_format=torch.contiguous_format)
    # From one half precision to the other by float32: equal values, and in torch 1.7 times as fast.
    copy = torch.empty(source.shape, dtype=dtype, device=source.device)
    for part, own in zip(source.reshape(-1).split(_AT_ONCE), copy.view(-1).split(_AT_ONCE), strict=True):
        own.copy_(part.float())
    return copy
