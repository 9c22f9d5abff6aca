"""Blocks that compute their inner results again: the same gradients, less kept."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lib_ti.host.webui.temporary.recompute import recomputed


class Block(nn.Module):
    """Widens what it is given, and counts how often it is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Linear(4, 64), nn.Linear(64, 4)
        self.requires_grad_(False)
        self.times = 0

    def forward(self, x: Tensor, *, context: Tensor | None = None) -> Tensor:
        self.times += 1
        inner = torch.sin(self.wide(x)) * torch.cos(self.wide(x))
        return x + self.narrow(inner if context is None else inner + self.wide(context))


@pytest.fixture
def block() -> Block:
    torch.manual_seed(0)
    return Block()


def gradients(run, *given: Tensor, **named: Tensor) -> tuple[Tensor, list[Tensor], int]:
    """The result, what its square's gradients are, and how many numbers were kept for them."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.data_ptr()] = tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        result = run(*given, **named)
    wanted = [one for one in (*given, *named.values()) if one.requires_grad]
    return result, list(torch.autograd.grad(result.square().sum(), wanted)), sum(kept.values())


def test_gradients_are_the_same_and_less_is_kept(block: Block) -> None:
    x, context = torch.randn(8, 4, requires_grad=True), torch.randn(8, 4, requires_grad=True)
    result, expected, most = gradients(block, x, context=context)
    again, found, kept = gradients(recomputed(block), x, context=context)
    assert torch.equal(result, again)
    assert all(map(torch.equal, expected, found))
    assert kept == x.numel() + context.numel() < most / 4
    assert block.times == 3


def test_only_what_has_a_gradient_gets_one(block: Block) -> None:
    x, context = torch.randn(8, 4), torch.randn(8, 4, requires_grad=True)
    _, expected, _ = gradients(block, x, context=context)
    _, found, _ = gradients(recomputed(block), x, context=context)
    assert len(found) == 1
    assert torch.equal(found[0], expected[0])


def test_without_a_gradient_nothing_is_computed_twice(block: Block) -> None:
    x = torch.randn(8, 4)
    assert not recomputed(block)(x).requires_grad
    with torch.no_grad():
        recomputed(block)(x.requires_grad_())
    assert block.times == 2


def test_small_blocks_keep_what_they_always_do(block: Block) -> None:
    x = torch.randn(8, 4, requires_grad=True)
    run = recomputed(block, least=33)
    _, _, most = gradients(block, x)
    assert gradients(run, x)[2] == most
    assert block.times == 2
    larger = torch.randn(9, 4, requires_grad=True)
    assert gradients(run, larger)[2] == larger.numel()
    assert block.times == 4


def test_mixed_precision_is_as_it_was(block: Block) -> None:
    x = torch.randn(8, 4, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result = block(x)
        again = recomputed(block)(x)
    expected, found = (torch.autograd.grad(one.square().sum(), x)[0] for one in (result, again))
    assert torch.equal(expected, found)
    assert not torch.equal(found, gradients(block, x)[1][0])
