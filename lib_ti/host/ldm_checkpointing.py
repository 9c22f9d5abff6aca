"""Gradient checkpointing of a UNet built of ldm's or sgm's blocks: theirs off, ours on where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from lib_ti.host.recompute import Block, recomputed

_THEIR_FLAGS = ("checkpoint", "use_checkpoint")
_KEPT_SHARE = 1 / 2
_KEPT_BY_A_TRANSFORMER = 24
"""Times its input that a transformer block keeps for the backward pass: what enters 3 norms, of both attentions the
queries and results, of one the keys and values, and in the feed-forward part, which is 4 times as wide, what enters the
projection, its 2 halves, and the gate's activation."""


@contextmanager
def checkpointed(unet: Any, wanted: bool) -> Iterator[None]:
    """Recompute the blocks' inner results in the backward pass where ``wanted``; in no case do so in ldm's way.

    ldm's and sgm's checkpointing hands a block's weights to autograd, which refuses them while they are frozen. The
    WebUI turns it off from 1.10 on; before that, it is on for almost every model.
    """
    blocks = [module for module in unet.modules() if hasattr(module, "_forward")]
    with ExitStack() as undo:
        undo.enter_context(_without_theirs(blocks))
        if wanted:
            undo.enter_context(_with_ours(blocks))
        yield


@contextmanager
def _without_theirs(blocks: list[Any]) -> Iterator[None]:
    flags = [(block, name, vars(block)[name]) for block in blocks for name in _THEIR_FLAGS if name in vars(block)]
    try:
        for block, name, _ in flags:
            setattr(block, name, False)
        yield
    finally:
        for block, name, flag in flags:
            setattr(block, name, flag)


@contextmanager
def _with_ours(blocks: list[Any]) -> Iterator[None]:
    again = {part: forward for block in blocks for part, forward in _again(block).items()}
    before = {part: vars(part).get("forward") for part in again}
    try:
        for part, forward in again.items():
            part.forward = forward
        yield
    finally:
        for part, forward in before.items():
            vars(part).pop("forward", None)
            if forward is not None:
                part.forward = forward


def _again(block: Any) -> dict[Any, Block]:
    """What is to take the place of the ``forward`` of a block's parts.

    What keeps less than :data:`_KEPT_SHARE` of the size of its own weights is not worth it: the UNet's coarse levels,
    but for large batches. Convolutions keep nothing while their weights are frozen, and take most of a residual block's
    time; so there only normalization and activation are computed again, which keep twice what they are given.
    """
    if not hasattr(block, "in_layers") or block.use_scale_shift_norm:
        return {block: recomputed(block._forward, _least(block, _KEPT_BY_A_TRANSFORMER))}
    found: dict[Any, Block] = {}
    for norm, activation, *_, convolution in (block.in_layers, block.out_layers):
        both = _one_after_the_other(norm.forward, activation.forward)
        found[norm], found[activation] = recomputed(both, _least(convolution, 2)), _as_given
    return found


def _least(weighty: Any, kept: int) -> int:
    """Elements of the input from which on computing again is worth it; ``kept`` is what is kept, in units of those."""
    return int(_KEPT_SHARE * sum(parameter.numel() for parameter in weighty.parameters()) / kept)


def _one_after_the_other(first: Block, second: Block) -> Block:
    return lambda given: second(first(given))


def _as_given(given: torch.Tensor) -> torch.Tensor:
    return given
