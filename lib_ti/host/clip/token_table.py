"""A text encoder's table of input vectors, the same for every host."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property

import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.initial import spread
from lib_ti.errors import BadInput
from lib_ti.families.clip import ORDINARY_WORDS, VOCABULARY
from lib_ti.host.clip.tokenizer import vocabulary
from lib_ti.wording import quoted

_REPEAT_NOISE = 0.3
"""Noise on repeated starting vectors, in units of the vocabulary's RMS: equal rows get equal gradients and would
diverge only slowly."""


class TokenTable:
    """Read-only view of a text encoder's token embeddings (tokens, width).

    Parameters
    ----------
    encoder
        The name of the encoder in :attr:`Embedding.vectors`, such as ``"clip_l"``.
    """

    def __init__(self, encoder: str, weight: torch.Tensor) -> None:
        self._encoder, self._weight = encoder, weight.detach()
        ordinary = torch.tensor([vocabulary()[f"{word}</w>"] for word in ORDINARY_WORDS], device=weight.device)
        self.word_norm: float = self._weight[ordinary].float().norm(dim=1).square().mean().sqrt().item()

    @property
    def width(self) -> int:
        return int(self._weight.shape[1])

    @cached_property
    def _vocabulary_rms(self) -> float:
        return self._weight[:VOCABULARY].float().square().mean().sqrt().item()

    def release(self) -> None:
        """Free the table's memory; it cannot be used afterwards."""
        self._weight = self._weight.to("meta")

    def starting_vectors(self, text: str, tokens: Sequence[int], count: int) -> torch.Tensor:
        """Return (count, width) float32 on the CPU, from the rows of the text's tokens.

        The tokens are spread over the vectors by :func:`lib_ti.embedding.initial.spread`. A vector that repeats
        another gets noise, always the same for a text and a count.

        Raises
        ------
        BadInput
            When there is no token.
        """
        if not tokens:
            raise BadInput(f"Initialization text {quoted(text)} has no words; give at least one, or '*'.")
        rows = [tokens[token] for token in spread(len(tokens), count)]
        vectors = self._weight[torch.tensor(rows, device=self._weight.device)].float().cpu()
        seed = int.from_bytes(hashlib.sha256(f"{text}\0{count}".encode()).digest()[:8], "big") >> 1
        noise = torch.randn(vectors.shape, generator=torch.Generator().manual_seed(seed))
        repeats = torch.tensor([rows[i] in rows[:i] for i in range(count)])
        return vectors + noise * (repeats[:, None] * _REPEAT_NOISE * self._vocabulary_rms)

    def vectors_of(self, embedding: Embedding) -> torch.Tensor:
        """Return the embedding's vectors (count, width) for this encoder, on the table's device; differentiable.

        Raises
        ------
        BadInput
            When it has none, or of another width.
        """
        vectors = embedding.vectors.get(self._encoder)
        if vectors is None or vectors.shape[1] != self.width:
            theirs = ", ".join(f"{key} {width}" for key, width in embedding.widths.items())
            raise BadInput(
                f"Embedding {quoted(embedding.name)} is for another kind of model: its vectors are {theirs} wide, "
                f"and this model takes {self._encoder} {self.width}."
            )
        return vectors.to(self._weight.device)
