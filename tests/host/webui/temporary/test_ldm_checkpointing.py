"""Checkpointing of ldm's blocks: theirs fails with frozen weights, ours does not, and nothing of it is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from lib_ti.host.model import Checkpointing
from lib_ti.host.webui.temporary.ldm_checkpointing import own_checkpointing

BLOCKS = get_args(Checkpointing)


class TheirCheckpoint(torch.autograd.Function):
    """As ldm's does, this asks for the gradients of a block's weights as well as of its inputs."""

    @staticmethod
    def forward(ctx: Any, run: Callable[[Tensor], Tensor], x: Tensor, *weights: Tensor) -> Tensor:
        ctx.run, ctx.x, ctx.weights = run, x, weights
        with torch.no_grad():
            return run(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x = ctx.x.detach().requires_grad_(True)
        with torch.enable_grad():
            result = ctx.run(x)
        return (None, *torch.autograd.grad(result, [x, *ctx.weights], gradient, allow_unused=True))


class TransformerBlock(nn.Module):
    flag = "checkpoint"

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.linear = nn.LayerNorm(8), nn.Linear(8, 8)
        setattr(self, self.flag, True)
        self.times = 0

    def forward(self, x: Tensor) -> Tensor:
        if getattr(self, self.flag):
            return TheirCheckpoint.apply(self._forward, x, *self.parameters())
        return self._forward(x)

    def _forward(self, x: Tensor) -> Tensor:
        self.times += 1
        return x + torch.tanh(self.linear(self.norm1(x)))


class AttentionBlock(TransformerBlock):
    flag = "use_checkpoint"


@pytest.fixture
def unet() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(TransformerBlock(), nn.Linear(8, 8), AttentionBlock()).requires_grad_(False)


def gradient(unet: nn.Module) -> Tensor:
    x = torch.ones(64, 8, requires_grad=True)
    unet(x).square().sum().backward()
    assert x.grad is not None
    return x.grad


def flags(unet: nn.Sequential) -> tuple[bool, bool]:
    return unet[0].checkpoint, unet[2].use_checkpoint


def test_their_own_way_fails_with_frozen_weights(unet: nn.Sequential) -> None:
    with pytest.raises(RuntimeError, match="does not require grad"):
        gradient(unet)


@pytest.mark.parametrize("blocks", BLOCKS)
def test_the_gradient_flows(unet: nn.Sequential, blocks: Checkpointing) -> None:
    unet[0].checkpoint = unet[2].use_checkpoint = False
    expected = gradient(unet)
    unet[0].checkpoint = unet[2].use_checkpoint = True
    unet[0].times = 0
    with own_checkpointing(unet) as choose:
        choose(blocks)
        assert torch.equal(gradient(unet), expected)
    assert unet[0].times == (1 if blocks == "off" else 2)
    assert flags(unet) == (True, True)


@pytest.mark.parametrize("blocks", BLOCKS)
def test_flags_are_put_back_after_an_error(unet: nn.Sequential, blocks: Checkpointing) -> None:
    unet[0].checkpoint = False
    with pytest.raises(ZeroDivisionError), own_checkpointing(unet) as choose:
        1 // (choose(blocks) or sum(flags(unet)))
    assert flags(unet) == (False, True)
    assert not any("forward" in vars(module) for module in unet.modules())


def test_the_choice_can_be_changed(unet: nn.Sequential) -> None:
    with own_checkpointing(unet) as choose:
        for blocks, times in (("all-blocks", 2), ("transformer-blocks", 2), ("off", 1), ("all-blocks", 2)):
            unet[0].times = 0
            choose(blocks)
            gradient(unet)
            assert unet[0].times == times
