"""Encoded prompts, the same for all hosts; opaque to everyone else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_ti.host.model import Conditioning

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TextConditioning(Conditioning):
    """Input of the UNet's cross-attention.

    Parameters
    ----------
    crossattn
        (B, 77·k, width) float32: hidden states of k contexts, those of several encoders side by side.
    """

    crossattn: torch.Tensor
