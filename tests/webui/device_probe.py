"""Runs inside the WebUI that ``test_medvram.py`` starts: the CPU under two names, as if it were two devices.

The WebUI moves whole networks between the device and main memory. Here both are the CPU, but the moves are followed, so
that a network that is used while it is in main memory is noticed, as a graphics card would notice it.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import torch
from modules import devices, shared

from tests.webui.inside import serve

DEVICE, MEMORY = torch.device("cpu", 0), torch.device("cpu")  # unequal, although tensors are on the same
PARTS = {"unet": "model", "text encoders": "cond_stage_model", "autoencoder": "first_stage_model"}
assert devices.device == MEMORY, "these tests are for a WebUI on the CPU"
devices.device = shared.device = DEVICE

_places: WeakKeyDictionary[torch.nn.Module, torch.device] = WeakKeyDictionary()
"""Where networks were moved to; the others are where they were loaded, in main memory."""
_misplaced: set[str] = set()
_move = torch.nn.Module.to


def _followed(self: torch.nn.Module, *arguments: Any, **named: Any) -> torch.nn.Module:
    device = torch._C._nn._parse_to(*arguments, **named)[0]
    if device is not None:
        _places.update(dict.fromkeys(self.modules(), device))
    return _move(self, *arguments, **named)


def _check(module: torch.nn.Module, _given: Any) -> None:
    # The WebUI itself looks up words in main memory, with the ids there too, for the width of the vectors.
    is_table = isinstance(module, torch.nn.Embedding)
    if module._parameters and not is_table and _places.get(module, MEMORY) != DEVICE:
        _misplaced.add(type(module).__name__)


torch.nn.Module.to = _followed
torch.nn.modules.module.register_module_forward_pre_hook(_check)


def misplaced() -> list[str]:
    """Kinds of layers that were used in main memory since the last call."""
    found = sorted(_misplaced)
    _misplaced.clear()
    return found


def use_in_memory() -> None:
    """Use a part of the UNet in main memory."""
    unet = shared.sd_model.model.diffusion_model
    unet.to(MEMORY)
    unet.time_embed(torch.ones(1, unet.model_channels))


def on_device() -> list[str]:
    """The parts of the loaded model that are on the device."""
    parts = {name: list(getattr(shared.sd_model, part).modules()) for name, part in PARTS.items()}
    weighty = {name: [one for one in modules if one._parameters] for name, modules in parts.items()}
    return [name for name, modules in weighty.items() if all(_places.get(one, MEMORY) == DEVICE for one in modules)]


def low_memory() -> bool:
    """Whether the WebUI moves the loaded model's parts."""
    return bool(shared.sd_model.lowvram)


serve("device", (misplaced, use_in_memory, on_device, low_memory))
