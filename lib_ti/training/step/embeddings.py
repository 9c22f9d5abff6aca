"""The embeddings that a run trains, as float32 leaf tensors on the model's device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from lib_ti.embedding.embedding import Embedding

LeafKey = tuple[str, str]
"""Name of the embedding, key of the text encoder."""


class TrainableEmbeddings:
    """Leaf tensors by :data:`LeafKey`, and the embeddings that consist of them.

    Parameters
    ----------
    embeddings
        All after the same number of steps. Their vectors are copied.
    """

    def __init__(self, embeddings: Sequence[Embedding], device: torch.device) -> None:
        self.step = embeddings[0].step
        self.leaves: dict[LeafKey, Tensor] = {
            (embedding.name, encoder): vector.detach().to(device, torch.float32).clone().requires_grad_(True)
            for embedding in embeddings
            for encoder, vector in embedding.vectors.items()
        }
        self._embeddings = list(embeddings)
        names = leaf_names(self.leaves)
        self.named = {names[key]: leaf for key, leaf in self.leaves.items()}
        """The leaves by the names that optimizers and state files have for them."""

    @property
    def names(self) -> list[str]:
        return [embedding.name for embedding in self._embeddings]

    def live(self, step: int) -> list[Embedding]:
        """The embeddings after ``step`` steps, made of the leaf tensors themselves."""
        return [
            embedding.with_vectors(
                {encoder: self.leaves[embedding.name, encoder] for encoder in embedding.vectors}, step=step
            )
            for embedding in self._embeddings
        ]


def leaf_names(keys: Iterable[LeafKey]) -> dict[LeafKey, str]:
    """Return names for leaves: the encoder's key of a single embedding, ``<embedding>/<encoder>`` of several."""
    keys = list(keys)
    single = len({embedding for embedding, _ in keys}) == 1
    return {(embedding, encoder): encoder if single else f"{embedding}/{encoder}" for embedding, encoder in keys}
