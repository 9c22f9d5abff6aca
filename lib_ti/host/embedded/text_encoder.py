"""One of CLIP's text encoders, with embeddings in its prompts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from transformers import CLIPTextModel

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import TextEncoderSpec
from lib_ti.host.clip.chunks import Chunk
from lib_ti.host.clip.network import layer_outputs, pooled, to_device
from lib_ti.host.clip.token_table import TokenTable

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle


class TextEncoder:
    """Encodes contexts in float32, on the device of its network.

    The vectors replace rows of the token embeddings' output (not of the table, which is never copied or changed),
    so that the result is differentiable in them.

    Parameters
    ----------
    key
        Name of its vectors in :attr:`Embedding.vectors`.
    network
        Without the encoder's unused layers; a ``CLIPTextModelWithProjection`` where the encoder is pooled.
    clip_skip
        The WebUI's setting: the layer from the end whose output counts, where that is before the encoder's own.
    """

    def __init__(self, key: str, encoder: TextEncoderSpec, network: CLIPTextModel, clip_skip: int = 1) -> None:
        self.key = key
        self._encoder = encoder
        self._layer = max(clip_skip, encoder.layer_from_end) - encoder.unused_layers
        self.skips = clip_skip > encoder.layer_from_end
        self._network = network
        self._rows: torch.nn.Embedding = network.get_input_embeddings()
        self.table = TokenTable(key, self._rows.weight)

    def release(self) -> None:
        """Free the token table's memory; the network's is its owner's to free."""
        self.table.release()

    def encode(
        self, chunks: Sequence[Chunk], embeddings: Sequence[Embedding]
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return hidden states (chunks, 77, width) and, of an encoder that is pooled, (chunks, projected).

        Weights of the chunks multiply the hidden states, each context's mean being restored afterwards (the WebUI's
        emphasis "Original"); the pooled vectors stay.

        Parameters
        ----------
        embeddings
            Those that the chunks' splices count.

        Raises
        ------
        BadInput
            When a chunk uses an embedding that is not for this encoder.
        """
        text_model = self._network.text_model
        outputs = self._run(chunks, embeddings)
        hidden = outputs[-self._layer]
        if self._encoder.normed:
            hidden = text_model.final_layer_norm(hidden)
        hidden = _with_emphasis(hidden, chunks)
        if not self._encoder.pooled:
            return hidden, None
        ends = to_device([chunk.end for chunk in chunks], hidden.device)
        return hidden, pooled(text_model, self._network.text_projection.weight, outputs[-1], ends)

    def _run(self, chunks: Sequence[Chunk], embeddings: Sequence[Embedding]) -> tuple[torch.Tensor, ...]:
        """Return all layers' outputs (chunks, 77, width). The hook is there for this one call only."""
        ids = to_device([chunk.padded(self._encoder.pad) for chunk in chunks], self._rows.weight.device)
        hook = self._splice(chunks, embeddings)
        try:
            return layer_outputs(self._network.text_model, ids)
        finally:
            if hook is not None:
                hook.remove()

    def _splice(self, chunks: Sequence[Chunk], embeddings: Sequence[Embedding]) -> RemovableHandle | None:
        """Put the embeddings' vectors into the table's next output (chunks, 77, width)."""
        used = sorted({word for chunk in chunks for _, word in chunk.splices})
        if not used:
            return None
        vectors = torch.cat([self.table.vectors_of(embeddings[word]) for word in used])
        ends = itertools.accumulate(embeddings[word].count for word in used)
        first = {word: end - embeddings[word].count for word, end in zip(used, ends, strict=True)}
        places = [
            (row, place + offset, first[word] + offset)
            for row, chunk in enumerate(chunks)
            for place, word in chunk.splices
            for offset in range(embeddings[word].count)
        ]
        row, place, source = to_device(places, vectors.device).unbind(1)

        def put(_module: torch.nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
            return output.index_put((row, place), vectors[source].to(output.dtype))

        return self._rows.register_forward_hook(put)


def _with_emphasis(hidden: torch.Tensor, chunks: Sequence[Chunk]) -> torch.Tensor:
    if not any(chunk.weights for chunk in chunks):
        return hidden
    return torch.stack([_weighted(row, chunk.weights) for row, chunk in zip(hidden, chunks, strict=True)])


def _weighted(states: torch.Tensor, weights: tuple[float, ...]) -> torch.Tensor:
    """Multiply (77, width) by the weights and restore their mean."""
    if not weights:
        return states
    weighted = states * states.new_tensor(weights)[:, None]
    return weighted * (states.mean() / weighted.mean())
