"""All text encoders of a model together: prompts to what the UNet is conditioned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from transformers import CLIPTextModel

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import Family
from lib_ti.families.registry import key_of
from lib_ti.host.clip.chunks import EMPTY, Chunk, Prompt, Word, count_tokens, find_words, lay_out, words_of
from lib_ti.host.clip.conditioning import TextConditioning, sizes_of
from lib_ti.host.clip.network import to_device
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.host.embedded.text_encoder import TextEncoder
from lib_ti.host.model import Framing


class PromptEncoder:
    """Encodes prompts by every text encoder of a family, in the family's order.

    Parameters
    ----------
    networks
        By the encoders' keys.
    clip_skip
        See :class:`TextEncoder`.
    """

    def __init__(self, family: Family, networks: Mapping[str, CLIPTextModel], clip_skip: int = 1) -> None:
        self._encoders = [
            TextEncoder(key_of(family, encoder, network.config.hidden_size), encoder, network, clip_skip)
            for encoder in family.encoders
            for network in (networks[encoder.key],)
        ]
        self._sized = "sizes" in family.model.conditioning

    @property
    def widths(self) -> dict[str, int]:
        return {encoder.key: encoder.table.width for encoder in self._encoders}

    @property
    def word_norm(self) -> dict[str, float]:
        return {encoder.key: encoder.table.word_norm for encoder in self._encoders}

    @property
    def skips(self) -> bool:
        """Whether clip skip changes what is encoded."""
        return any(encoder.skips for encoder in self._encoders)

    def release(self) -> None:
        """Free the token tables' memory; the networks' is their owner's to free."""
        for encoder in self._encoders:
            encoder.release()

    def encode(
        self, prompts: Sequence[Prompt], framings: Sequence[Framing], embeddings: Sequence[Embedding]
    ) -> TextConditioning:
        """Encode prompts with one framing each, all prompts with as many contexts as the longest.

        Contexts that occur several times, in one prompt or in several, are encoded once. The pooled vector is that of
        a prompt's first context.

        Raises
        ------
        BadInput
            When a prompt uses an embedding that is not for this model, or has more vectors than fit a context.
        """
        rows, index = _distinct_chunks(prompts, words_of(embeddings))
        crossattn, vectors = [], []
        for encoder in self._encoders:
            hidden, pooled = encoder.encode(rows, embeddings)  # (rows, 77, width), (rows, projected)
            places = to_device(index, hidden.device)  # (B, k)
            crossattn.append(hidden[places].flatten(1, 2))
            if pooled is not None:
                vectors.append(pooled[places[:, 0]])
        return TextConditioning(
            torch.cat(crossattn, dim=2),
            torch.cat(vectors, dim=1) if vectors else None,
            sizes_of(framings, crossattn[0].device) if self._sized else None,
        )

    def find_embeddings(self, prompt: Prompt, embeddings: Sequence[Embedding]) -> list[str]:
        return [embeddings[index].name for index in find_words(prompt, words_of(embeddings))]

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        return count_tokens(prompt, words_of(embeddings))

    def initial_vectors(self, text: str, count: int) -> dict[str, torch.Tensor]:
        """Return by encoder (count, width) float32 on the CPU; see :meth:`TokenTable.starting_vectors`."""
        tokens = tokenize(text)
        return {encoder.key: encoder.table.starting_vectors(text, tokens, count) for encoder in self._encoders}


def _distinct_chunks(prompts: Sequence[Prompt], words: tuple[Word, ...]) -> tuple[list[Chunk], list[list[int]]]:
    """Return the contexts to encode, and by prompt which of them it has; all prompts have equally many."""
    layouts = [lay_out(prompt, words) for prompt in prompts]
    contexts = max(map(len, layouts))
    rows: dict[Chunk, int] = {}
    index = [
        [rows.setdefault(chunk, len(rows)) for chunk in (*layout, *[EMPTY] * (contexts - len(layout)))]
        for layout in layouts
    ]
    return list(rows), index
