"""All text encoders of a model together: prompts to what the UNet is conditioned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from transformers import CLIPTextModel

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import Family
from lib_ti.host.clip.chunks import Prompt, Word, count_tokens, find_words
from lib_ti.host.clip.conditioning import TextConditioning
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.host.embedded.text_encoder import TextEncoder


class PromptEncoder:
    """Encodes prompts by every text encoder of a family, in the family's order.

    Parameters
    ----------
    networks
        By the encoders' keys.
    """

    def __init__(self, family: Family, networks: Mapping[str, CLIPTextModel]) -> None:
        self._encoders = [TextEncoder(encoder, networks[encoder.key]) for encoder in family.encoders]

    @property
    def widths(self) -> dict[str, int]:
        return {encoder.key: encoder.table.width for encoder in self._encoders}

    @property
    def vocabulary_norm(self) -> dict[str, float]:
        return {encoder.key: encoder.table.vocabulary_norm for encoder in self._encoders}

    def encode(self, prompts: Sequence[Prompt], embeddings: Sequence[Embedding]) -> TextConditioning:
        """Encode prompts; see :meth:`TextEncoder.encode`. Outputs of several encoders are concatenated by width."""
        words = _words(embeddings)
        states = [encoder.encode(prompts, embeddings, words) for encoder in self._encoders]
        return TextConditioning(torch.cat(states, dim=2))

    def find_embeddings(self, prompt: Prompt, embeddings: Sequence[Embedding]) -> list[str]:
        return [embeddings[index].name for index in find_words(prompt, _words(embeddings))]

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        return count_tokens(prompt, _words(embeddings))

    def initial_vectors(self, text: str, count: int) -> dict[str, torch.Tensor]:
        """Return by encoder (count, width) float32 on the CPU; see :meth:`TokenTable.starting_vectors`."""
        tokens = tokenize(text)
        return {encoder.key: encoder.table.starting_vectors(text, tokens, count) for encoder in self._encoders}


def _words(embeddings: Sequence[Embedding]) -> tuple[Word, ...]:
    return tuple(Word(tokenize(embedding.name), embedding.count, embedding.name) for embedding in embeddings)
