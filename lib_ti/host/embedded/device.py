"""Devices and precisions by the names that users give them."""

from __future__ import annotations

import torch

from lib_ti.errors import BadInput
from lib_ti.host.base import Precision
from lib_ti.wording import quoted

_DEVICES = ("cpu", "cuda")
_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def named_device(name: str) -> torch.device:
    """Return a device; raises :class:`BadInput` when there is none of that name to train on."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise BadInput(
            f"Device {quoted(name)} cannot be used here ({str(error).splitlines()[0]}); use 'cpu'."
        ) from error
    if device.type not in _DEVICES:
        raise BadInput(
            f"Device {quoted(name)} is not one that this program trains on; use one of {', '.join(_DEVICES)}."
        )
    return device


def dtype_of(precision: Precision, device: torch.device) -> torch.dtype:
    """Return the type of the UNet's weights on a device.

    ``"auto"`` is float32 on the CPU, and on CUDA bfloat16 where the device computes in it, else float16.

    Raises
    ------
    BadInput
        When the device does not compute in that precision.
    """
    if precision == "auto":
        if device.type != "cuda":
            return torch.float32
        return torch.bfloat16 if _computes_in_bfloat16(device) else torch.float16
    if precision not in _DTYPES:
        raise BadInput(f"Precision {quoted(precision)} is not known; use one of auto, {', '.join(_DTYPES)}.")
    if precision == "float16" and device.type == "cpu":
        raise BadInput("Precision float16 is not for the CPU; use float32, or bfloat16.")
    if precision == "bfloat16" and device.type == "cuda" and not _computes_in_bfloat16(device):
        raise BadInput(f"{torch.cuda.get_device_name(device)} does not compute in bfloat16; use float16, or auto.")
    return _DTYPES[precision]


def _computes_in_bfloat16(device: torch.device) -> bool:
    # is_bf16_supported() also says yes where bfloat16 is only emulated, and slow.
    return torch.cuda.get_device_capability(device) >= (8, 0)
