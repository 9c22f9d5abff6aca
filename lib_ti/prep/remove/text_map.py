"""Likelihood map of text in an image, by a small convolutional network that ``tools/text_finder`` trained."""

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
"""Side in pixels of the squares for which the network predicts."""
_DILATIONS = (1, 2, 4, 8)
"""Dilations of the later layers; the receptive field is 140 pixels, several letters of the largest size."""


class TextNetwork(nn.Module):
    """Network from images (B, 3, H, W) in -1..1, H and W multiples of 4, to logits (B, 1, H/4, W/4)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 12, 3, 2, padding=1), nn.ReLU(), nn.Conv2d(12, 20, 3, 2, padding=1)]
        for number, dilation in enumerate(_DILATIONS):
            layers += [nn.ReLU(), nn.Conv2d(24 if number else 20, 24, 3, padding=dilation, dilation=dilation)]
        self.layers = nn.Sequential(*layers, nn.ReLU(), nn.Conv2d(24, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def text_map(pixels: Array) -> Array:
    """Return the likelihood of text (H // 4, W // 4), float32 in 0..1, of an RGB image (H, W, 3) uint8, at least 4 ×
    4."""
    height, width = (length // CELL * CELL for length in pixels.shape[:2])
    with torch.inference_mode():
        # Channels stay last in memory, with which this network is faster.
        levels = torch.from_numpy(pixels[:height, :width].astype(np.float32)).div_(127.5).sub_(1.0)
        likelihood: Array = _network()(levels.permute(2, 0, 1)[None])[0, 0].sigmoid().numpy()
    return likelihood


@cache
def _network() -> TextNetwork:
    network = TextNetwork()
    network.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()})
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().requires_grad_(False)
