"""Counts what makes the processor wait for a device, without having one: on torch's ``meta`` device.

Tensors on ``meta`` have shapes and types and no values. What would read a value back from a graphics card, or copy to
it without ``non_blocking``, is counted, and a reading gives ones.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

ATEN = torch.ops.aten


@contextmanager
def waits() -> Iterator[list[str]]:
    """Within it, the list grows by the place in the code of each wait."""
    found: list[str] = []
    with _Made(found), _Copied(found):
        yield found


class _Made(TorchFunctionMode):
    """Sees tensors that are made of Python's numbers on the device: they are made on the processor and copied."""

    def __init__(self, found: list[str]) -> None:
        self._found = found
        super().__init__()

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        device = torch.device((kwargs or {}).get("device") or "cpu")
        made = function in (torch.tensor, torch.as_tensor, torch.asarray) and device.type == "meta"
        if made or (function is torch.Tensor.__getitem__ and args[0].is_meta and isinstance(args[1], list)):
            self._found.append(_place(function))
        return function(*args, **(kwargs or {}))


class _Copied(TorchDispatchMode):
    """Sees values that are read back, and copies between devices."""

    def __init__(self, found: list[str]) -> None:
        self._found = found
        super().__init__()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if function is ATEN._local_scalar_dense.default and args[0].is_meta:
            self._found.append(_place(function))
            return 1.0
        if function is ATEN._to_copy.default and args[0].is_meta and _is_cpu(kwargs.get("device")):
            self._found.append(_place(function))
            return torch.ones(args[0].shape, dtype=kwargs.get("dtype") or args[0].dtype)
        if _waits_for_copy(function, args, kwargs) or _indexes_from_afar(function, args):
            self._found.append(_place(function))
        return function(*args, **kwargs)


def _waits_for_copy(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if function is ATEN._to_copy.default:
        if not args[0].numel():
            return False  # torch returns at once
        device = torch.device(kwargs.get("device") or args[0].device)
        return device.type != args[0].device.type and not kwargs.get("non_blocking")
    if function is ATEN.copy_.default:
        return args[0].device != args[1].device and not (args[2] if len(args) > 2 else kwargs.get("non_blocking"))
    return False


def _indexes_from_afar(function: Any, args: tuple[Any, ...]) -> bool:
    """Indices on the processor are copied to the device of what they choose from."""
    if function not in (ATEN.index.Tensor, ATEN.index_put.default, ATEN.index_put_.default):
        return False
    return any(index is not None and index.device != args[0].device for index in args[1])


def _is_cpu(device: Any) -> bool:
    return device is not None and torch.device(device).type == "cpu"


def _place(function: Any) -> str:
    """Where the project or a library called this: the innermost line outside torch and this file."""
    frames = [f for f in traceback.extract_stack() if "/torch/" not in f.filename and f.filename != __file__]
    return f"{function} in {frames[-1].filename}:{frames[-1].lineno}"
