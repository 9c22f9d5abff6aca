"""Gradient checkpointing for frozen blocks: only their inputs are stored, the rest is recomputed.

As PyTorch's ``checkpoint``, for the one case there is here: all weights are frozen, and the blocks use no random
numbers. So no random state is stored, a block whose inputs need no gradient needs no backward pass at all, and nothing
watches what is saved inside, which costs PyTorch's own more than a small block's work.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

Block = Callable[..., Tensor]


def recomputed(block: Block, least: int = 0) -> Block:
    """Return the block (any arguments, one tensor as its result) with checkpointing; gradients are the same.

    Where the first argument has fewer than ``least`` elements, the block runs without it.
    """

    def run(*arguments: Any, **named: Any) -> Tensor:
        given = (*arguments, *named.values())
        if given[0].numel() < least or not (
            torch.is_grad_enabled() and any(isinstance(one, Tensor) and one.requires_grad for one in given)
        ):
            return block(*arguments, **named)

        def call(*values: Any) -> Tensor:
            places = dict(zip(named, values[len(arguments) :], strict=True))
            return block(*values[: len(arguments)], **places)

        return _Recomputed.apply(call, *given)  # type: ignore[no-untyped-call]

    return run


class _Recomputed(torch.autograd.Function):
    """``call(*given)``, without a graph until its gradient is computed."""

    @staticmethod
    def forward(ctx: Any, call: Callable[..., Tensor], *given: Any) -> Tensor:
        ctx.call, ctx.autocast = call, _present_autocast(given)
        ctx.tensors = [place for place, one in enumerate(given) if isinstance(one, Tensor)]
        ctx.others = [None if isinstance(one, Tensor) else one for one in given]
        ctx.save_for_backward(*(given[place] for place in ctx.tensors))
        return call(*given)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        given = list(ctx.others)
        needed = []
        for place, saved in zip(ctx.tensors, ctx.saved_tensors, strict=True):
            given[place] = saved.detach()
            if ctx.needs_input_grad[place + 1]:
                needed.append(place)
                given[place].requires_grad_(True)
        with torch.enable_grad(), ctx.autocast():
            made = ctx.call(*given)
        found = torch.autograd.grad(made, [given[place] for place in needed], gradients)
        all_of_them: list[Tensor | None] = [None] * (len(given) + 1)
        for place, gradient in zip(needed, found, strict=True):
            all_of_them[place + 1] = gradient
        return tuple(all_of_them)


def _present_autocast(given: tuple[Any, ...]) -> Callable[[], AbstractContextManager[Any]]:
    """Return a context like the current autocast of the tensors' device."""
    kind = next((one.device.type for one in given if isinstance(one, Tensor)), "cpu")
    if hasattr(torch, "get_autocast_dtype"):  # from 2.4 on
        enabled, dtype = torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)
    elif kind == "cuda":
        enabled, dtype = torch.is_autocast_enabled(), torch.get_autocast_gpu_dtype()
    else:
        enabled, dtype = torch.is_autocast_cpu_enabled(), torch.get_autocast_cpu_dtype()
    cache = torch.is_autocast_cache_enabled()
    return (lambda: torch.autocast(kind, dtype=dtype, cache_enabled=cache)) if enabled else nullcontext
