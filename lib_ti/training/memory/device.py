"""Memory of a device: what is free, and the most that some work takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten


class Meter(Protocol):
    """Bytes allocated since some work began."""

    def now(self) -> int: ...

    def most(self) -> int: ...


@contextmanager
def metered(device: torch.device) -> Iterator[Meter]:
    """Yield the meter of the work inside the block."""
    if device.type == "cuda":
        yield _CudaMeter(device)
    else:
        with _Tally() as tally:
            yield tally


class _CudaMeter:
    def __init__(self, device: torch.device) -> None:
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        self._device, self._before = device, torch.cuda.memory_allocated(device)

    def now(self) -> int:
        return int(torch.cuda.memory_allocated(self._device) - self._before)

    def most(self) -> int:
        return int(torch.cuda.max_memory_allocated(self._device) - self._before)


class _Tally(TorchDispatchMode):
    """Counts the bytes of all tensors that operations return, until they are freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._most = 0
        self._now = 0
        self._held: dict[int, tuple[StorageWeakRef, int]] = {}

    def now(self) -> int:
        self._drop_freed()
        return self._now

    def most(self) -> int:
        return self._most

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for item in tree_flatten(made)[0]:
            if isinstance(item, torch.Tensor):
                self._count(item)
        return made

    def _count(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        reference = StorageWeakRef(storage)
        if reference.cdata in self._held:
            return
        self._held[reference.cdata] = (reference, storage.nbytes())
        self._now += storage.nbytes()
        if self._now > self._most:
            self._drop_freed()  # only now is it worth looking
            self._most = max(self._most, self._now)

    def _drop_freed(self) -> None:
        for key, (held, size) in list(self._held.items()):
            if held.expired():
                del self._held[key]
                self._now -= size


def free_memory(device: torch.device) -> int | None:
    """Return the free bytes of a device, PyTorch's reserve included; None where the system does not tell."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    available = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return available[0] if available and device.type == "cpu" else None


def release(device: torch.device) -> None:
    """Return what was freed to the device, where PyTorch keeps it in pieces of the sizes that were used."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
