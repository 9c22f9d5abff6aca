"""Where an image has text: a small convolutional network, which ``tools/text_finder`` trained on drawn text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from lib_ti.prep.arrays import Array

WEIGHTS = Path(__file__).with_name("text_map.safetensors")
CELL = 4
"""The network answers for squares of so many pixels a side."""
_SPREADS = (1, 2, 4, 8)
"""Dilation of the later layers; together a cell sees 140 pixels around it, several letters of the largest size."""


class TextNetwork(nn.Module):
    """Pictures (B, 3, H, W) in -1..1, H and W multiples of 4, to logits (B, 1, H/4, W/4)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 12, 3, 2, padding=1), nn.ReLU(), nn.Conv2d(12, 20, 3, 2, padding=1)]
        for number, spread in enumerate(_SPREADS):
            layers += [nn.ReLU(), nn.Conv2d(24 if number else 20, 24, 3, padding=spread, dilation=spread)]
        self.layers = nn.Sequential(*layers, nn.ReLU(), nn.Conv2d(24, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layers(pictures)


def text_map(pixels: Array) -> Array:
    """Likelihood of lettering (H // 4, W // 4) float32 in 0..1 of an RGB picture (H, W, 3) uint8, at least 4 × 4."""
    height, width = (length // CELL * CELL for length in pixels.shape[:2])
    with torch.inference_mode():
        # Channels stay last in memory, which this network is quicker with.
        levels = torch.from_numpy(pixels[:height, :width].astype(np.float32)).div_(127.5).sub_(1.0)
        likelihood: Array = _network()(levels.permute(2, 0, 1)[None])[0, 0].sigmoid().numpy()
    return likelihood


@cache
def _network() -> TextNetwork:
    network = TextNetwork()
    network.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().requires_grad_(False)
