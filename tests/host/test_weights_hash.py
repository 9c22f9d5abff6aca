"""An autoencoder's hash is computed once, and changes when other weights are loaded."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import nn

from lib_ti.host import weights_hash
from lib_ti.host.weights_hash import network_hash


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An entry for each time that weights are really read."""
    found: list[int] = []
    compute = weights_hash.weights_hash

    def count(weights: dict[str, torch.Tensor]) -> str:
        found.append(len(weights))
        return compute(weights)

    monkeypatch.setattr(weights_hash, "weights_hash", count)
    return found


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.GroupNorm(2, 4))


def test_a_network_is_hashed_once(computed: list[int]) -> None:
    one = network()
    first = network_hash(one)
    one.to(torch.float64).to(torch.float32)  # as encoding in another precision does it
    one.requires_grad_(False).eval()
    assert network_hash(one) == first
    assert len(computed) == 1


def test_other_weights_have_another_hash_and_the_first_ones_their_own_again(computed: list[int]) -> None:
    one, base = network(), network().state_dict()
    first = network_hash(one)
    one.load_state_dict(network(seed=1).state_dict())
    assert network_hash(one) == network_hash(network(seed=1)) != first
    one.load_state_dict(base)
    assert network_hash(one) == first


def test_rounded_weights_have_another_hash() -> None:
    one = network()
    assert network_hash(one) != network_hash(one.half())


def test_the_cache_does_not_keep_a_network_alive() -> None:
    one = network()
    network_hash(one)
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None
