"""Encoded prompts as the WebUI's UNets take them."""

from __future__ import annotations

from typing import Any

import torch
from modules import devices
from torch import Tensor

from lib_ti.host.clip.conditioning import TextConditioning

_SIZES = {"original_size_as_tuple": 0, "crop_coords_top_left": 2, "target_size_as_tuple": 4}
"""Names of sgm's inputs, and where the two numbers of each begin in :attr:`TextConditioning.sizes`."""


def unet_conditioning(sd_model: Any, conditioning: TextConditioning, dtype: torch.dtype) -> dict[str, Any]:
    """Return the dict that ``apply_model`` takes; a new one for each call, as the WebUI writes into it."""
    crossattn = conditioning.crossattn.to(devices.device, dtype)
    if conditioning.pooled is None or conditioning.sizes is None:
        return {"c_crossattn": [crossattn]}
    sizes = _embedded_sizes(sd_model.conditioner, conditioning.sizes.to(devices.device))
    vector = torch.cat([conditioning.pooled.to(devices.device, dtype), sizes.to(dtype)], dim=1)
    return {"crossattn": crossattn, "vector": vector}


@torch.no_grad()
def _embedded_sizes(conditioner: Any, sizes: Tensor) -> Tensor:
    """(B, width of all), from (B, 6) numbers, by the model's own layers without weights and in their order."""
    layers = [(layer, _SIZES[layer.input_key]) for layer in conditioner.embedders if layer.input_key in _SIZES]
    return torch.cat([layer(sizes[:, first : first + 2]) for layer, first in layers], dim=1)
