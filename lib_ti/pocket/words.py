"""Token ids of captions, by CLIP's vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path

import torch
from torch import Tensor
from transformers import CLIPTokenizer

VOCABULARY = Path(__file__).resolve().parents[1] / "host" / "clip" / "vocabulary"
START, END, LENGTH = 49406, 49407, 77  # as Stable Diffusion 1 pads: the end token up to 77


class Words:
    """CLIP's tokenizer for many short captions: each word is looked up once."""

    @cached_property
    def tokenizer(self) -> CLIPTokenizer:
        return CLIPTokenizer(str(VOCABULARY / "vocab.json"), str(VOCABULARY / "merges.txt"))

    @cache  # noqa: B019  one object lives as long as the program
    def _word(self, word: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(word, add_special_tokens=False).input_ids)

    def tokens(self, caption: str) -> list[int]:
        """Return the caption's tokens without start, end and padding. Splitting at spaces is exact: CLIP's tokenizer
        never joins across a space."""
        return [token for word in caption.split() for token in self._word(word)]

    def encode(self, captions: Sequence[str]) -> Tensor:
        """Return (B, 77) int64 with start, end and padding."""
        rows = torch.full((len(captions), LENGTH), END)
        rows[:, 0] = START
        for row, caption in zip(rows, captions, strict=True):
            tokens = self.tokens(caption)[: LENGTH - 2]
            row[1 : 1 + len(tokens)] = torch.tensor(tokens, dtype=torch.long)
        return rows
