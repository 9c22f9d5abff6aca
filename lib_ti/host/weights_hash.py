"""Hashes of weights, to tell autoencoders apart."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import torch

_KNOWN: WeakKeyDictionary[torch.nn.Module, tuple[object, str]] = WeakKeyDictionary()
"""Contents that were hashed, and their hash, by network."""


def weights_hash(weights: Mapping[str, torch.Tensor]) -> str:
    """Return a SHA-256 over names, shapes and float32 values, so that one model in two files has one hash."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        values = weights[name].detach().to("cpu", torch.float32).contiguous()
        digest.update(f"{name}{tuple(values.shape)}".encode())
        digest.update(values.reshape(-1).numpy().data)
    return digest.hexdigest()


def network_hash(network: torch.nn.Module) -> str:
    """Return the :func:`weights_hash` of a network, computed once until other weights are loaded into it."""
    contents = _contents(network)
    known = _KNOWN.get(network)
    if known is None or known[0] != contents:
        known = _KNOWN[network] = (contents, weights_hash(network.state_dict()))
    return known[1]


def _contents(network: torch.nn.Module) -> tuple[tuple[int, int, torch.dtype], ...]:
    """Return what changes when weights are replaced, written to, or rounded, but not when their device changes."""
    tensors = itertools.chain(network.parameters(), network.buffers())
    # torch counts the in-place changes of each tensor; load_state_dict makes one.
    return tuple((id(tensor), tensor._version, tensor.dtype) for tensor in tensors)
