"""Faster ways to run the UNet: another memory layout, or torch's compiler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from lib_ti.host.model import Optimization

_MODES = {"compile": "default", "cuda-graphs": "reduce-overhead"}
"""Modes of ``torch.compile``."""


def optimized(unet: torch.nn.Module, how: Optimization) -> Callable[..., Any]:
    """Return what runs the UNet; its memory layout is changed in place, and back.

    A compiled UNet is compiled, and may fail, when it is first run.
    """
    layout = torch.channels_last if how == "channels-last" else torch.contiguous_format
    unet.to(memory_format=layout)  # type: ignore[call-overload]  # missing in torch's types
    if how not in _MODES:
        return unet
    compiled: Callable[..., Any] = torch.compile(unet, mode=_MODES[how])
    return compiled
