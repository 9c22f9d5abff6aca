"""The embedding: vectors in the input space of a model's text encoders, under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lib_ti.embedding.formats.contents import Contents

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Embedding(Contents):
    """An embedding as tensors; during training these are the leaf tensors being optimised."""

    vectors: Mapping[str, torch.Tensor]

    def with_vectors(self, vectors: Mapping[str, torch.Tensor], *, step: int) -> Embedding:
        return replace(self, vectors=dict(vectors), step=step)

    def first(self, count: int) -> Embedding:
        """Return it with its first ``count`` vectors, or all where it has no more; they stay the same tensors."""
        return replace(self, vectors={key: tensor[:count] for key, tensor in self.vectors.items()})

    def snapshot(self) -> Embedding:
        """Return a copy whose vectors are detached float32 tensors on the CPU, safe to store and save."""
        return replace(self, vectors={k: t.detach().float().cpu().clone() for k, t in self.vectors.items()})
