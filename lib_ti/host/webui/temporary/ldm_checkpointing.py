"""Gradient checkpointing of a UNet of ldm's or sgm's blocks: theirs off, ours as it is requested."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from lib_ti.host.model import Checkpointing
from lib_ti.host.webui.temporary.recompute import Block, recomputed

_LDM_FLAGS = ("checkpoint", "use_checkpoint")
_STORED_SHARE = 1 / 2
_STORED_BY_A_TRANSFORMER = 24
"""Times its input that a transformer block stores for the backward pass: what enters 3 norms, of both attentions the
queries and results, of one the keys and values, and in the feed-forward part, which is 4 times as wide, what enters the
projection, its 2 halves, and the gate's activation."""


@contextmanager
def own_checkpointing(unet: Any) -> Iterator[Callable[[Checkpointing], None]]:
    """Yield the function that chooses which blocks recompute their activations; within it none does so in ldm's way.

    ldm's and sgm's checkpointing hands a block's weights to autograd, which refuses them while they are frozen. The
    WebUI turns it off from 1.10 on; before that, it is on for almost every model.
    """
    blocks = [module for module in unet.modules() if hasattr(module, "_forward")]
    with _without_ldm_checkpointing(blocks), ExitStack() as chosen:

        def choose(which: Checkpointing) -> None:
            chosen.close()
            if which != "off":
                chosen.enter_context(_with_checkpointed_forwards(blocks, whole=which == "all-blocks"))

        yield choose


@contextmanager
def _without_ldm_checkpointing(blocks: list[Any]) -> Iterator[None]:
    flags = [(block, name, vars(block)[name]) for block in blocks for name in _LDM_FLAGS if name in vars(block)]
    try:
        for block, name, _ in flags:
            setattr(block, name, False)
        yield
    finally:
        for block, name, flag in flags:
            setattr(block, name, flag)


@contextmanager
def _with_checkpointed_forwards(blocks: list[Any], *, whole: bool) -> Iterator[None]:
    if whole:
        forwards = {block: recomputed(block._forward) for block in blocks}
    else:
        forwards = {part: forward for block in blocks for part, forward in _checkpointed_forwards(block).items()}
    before = {part: vars(part).get("forward") for part in forwards}
    try:
        for part, forward in forwards.items():
            part.forward = forward
        yield
    finally:
        for part, forward in before.items():
            vars(part).pop("forward", None)
            if forward is not None:
                part.forward = forward


def _checkpointed_forwards(block: Any) -> dict[Any, Block]:
    """Return the replacements of ``forward`` that save most memory for their time, by a block's parts.

    It is not worth it where less is stored than :data:`_STORED_SHARE` of the size of the weights: in the UNet's coarse
    levels, except for large batches. Convolutions store nothing while their weights are frozen, and take most of a
    residual block's time; so only its normalizations and activations are recomputed, which store twice their input.
    """
    if not hasattr(block, "in_layers") or block.use_scale_shift_norm:
        return {block: recomputed(block._forward, _least(block, _STORED_BY_A_TRANSFORMER))}
    found: dict[Any, Block] = {}
    for norm, activation, *_, convolution in (block.in_layers, block.out_layers):
        both = _chained(norm.forward, activation.forward)
        found[norm], found[activation] = recomputed(both, _least(convolution, 2)), _identity
    return found


def _least(weighty: Any, stored: int) -> int:
    """Return from how many input elements on recomputing is worth it; ``stored`` is in units of those."""
    return int(_STORED_SHARE * sum(parameter.numel() for parameter in weighty.parameters()) / stored)


def _chained(first: Block, second: Block) -> Block:
    return lambda given: second(first(given))


def _identity(given: torch.Tensor) -> torch.Tensor:
    return given
