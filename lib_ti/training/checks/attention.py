"""Kernels of PyTorch's attention, which every host computes attention by, and the choice among them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class AttentionKernel:
    """One way to compute attention.

    Parameters
    ----------
    name
        Its name in messages.
    allowed
        Kernels that PyTorch may choose among, by their names in ``torch.backends.cuda``; None to leave that as it is.
    """

    name: str
    allowed: frozenset[str] | None = None


AS_SET = AttentionKernel("the kernel that PyTorch chooses")
_MEMORY_EFFICIENT = AttentionKernel("PyTorch's memory-efficient kernel", frozenset({"mem_efficient", "math"}))
_MATH = AttentionKernel("PyTorch's math kernel", frozenset({"math"}))
_ALL = ("flash", "mem_efficient", "math", "cudnn")


def kernels(device: torch.device) -> tuple[AttentionKernel, ...]:
    """Return the kernels of a device, the fastest first."""
    return (AS_SET, _MEMORY_EFFICIENT, _MATH) if device.type == "cuda" else (AS_SET, _MATH)


@contextmanager
def attention_by(kernel: AttentionKernel) -> Iterator[None]:
    """Compute attention by this kernel within the block, in all threads: a backward pass has its own on a card."""
    with ExitStack() as undo:
        for name in _ALL if kernel.allowed is not None else ():
            enable = getattr(torch.backends.cuda, f"enable_{name}_sdp", None)
            if enable:  # torch before 2.5 has no cuDNN kernel
                undo.callback(enable, getattr(torch.backends.cuda, f"{name}_sdp_enabled")())
                enable(name in (kernel.allowed or ()))
        yield
