"""One of CLIP's text encoders, with embeddings in its prompts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from transformers import CLIPTextModel

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import TextEncoderSpec
from lib_ti.host.clip.chunks import EMPTY, Chunk, Prompt, Word, lay_out
from lib_ti.host.clip.network import hidden_states, to_device
from lib_ti.host.clip.token_table import TokenTable

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle


class TextEncoder:
    """Encodes prompts in float32, on the device of its network.

    The vectors replace rows of the token embeddings' output (not of the table, which is never copied or changed),
    so that the result is differentiable in them.
    """

    def __init__(self, encoder: TextEncoderSpec, network: CLIPTextModel) -> None:
        self.key, self._layer = encoder.key, encoder.layer_from_end
        self._network = network
        self._rows: torch.nn.Embedding = network.get_input_embeddings()
        self.table = TokenTable(encoder.key, self._rows.weight)

    def encode(
        self, prompts: Sequence[Prompt], embeddings: Sequence[Embedding], words: tuple[Word, ...]
    ) -> torch.Tensor:
        """Return (B, 77·k, width) float32: a layer's hidden states after the final norm, all prompts with k contexts.

        Contexts that occur several times, in one prompt or in several, are encoded once. Weights of parsed prompts
        multiply the hidden states, each context's mean being restored afterwards (the WebUI's emphasis "Original").

        Parameters
        ----------
        words
            The embeddings' names, in their order.

        Raises
        ------
        BadInput
            When a prompt uses an embedding that is not for this encoder, or has more vectors than fit a context.
        """
        layouts = [lay_out(prompt, words) for prompt in prompts]
        contexts = max(map(len, layouts))
        rows: dict[Chunk, int] = {}
        index = [
            [rows.setdefault(chunk, len(rows)) for chunk in (*layout, *[EMPTY] * (contexts - len(layout)))]
            for layout in layouts
        ]
        hidden = _with_emphasis(self._encode_chunks(list(rows), embeddings), list(rows))  # (rows, 77, width)
        gathered = hidden[to_device(index, hidden.device)]  # (B, k, 77, width)
        return gathered.flatten(1, 2)

    def _encode_chunks(self, chunks: Sequence[Chunk], embeddings: Sequence[Embedding]) -> torch.Tensor:
        """Return (chunks, 77, width). The hook exists for this call only."""
        ids = to_device([chunk.ids for chunk in chunks], self._rows.weight.device)
        hook = self._splice(chunks, embeddings)
        try:
            return hidden_states(self._network.text_model, ids, self._layer)
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
