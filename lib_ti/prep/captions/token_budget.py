"""Number of a caption's tokens that fit into one context of the text encoder, and hints for writing captions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib_ti.families.clip import CHUNK

TokenSpans = Callable[[str], Sequence[tuple[int, int]]]
"""First and last-plus-one letter of each token of a text; every host's text encoder has CLIP's tokens."""

HINTS = (
    "Describe what is visible: the subject and what it does, the framing (close-up, from above), light and colors.",
    "Do not name the style to be learned: captions explain what they describe, and the embedding learns the rest.",
    "For an object or a person, do the opposite: describe the style and the surroundings, not the subject itself.",
    "Up to 75 tokens, about 50 words, are encoded together, including those of the prompt template.",
)
"""Advice on writing captions, one sentence each."""


@dataclass(frozen=True)
class CaptionLength:
    """Number of tokens of a caption, and its text in two parts: what fits into one context, and the rest."""

    tokens: int
    within: str
    beyond: str


def measure_length(text: str, spans: TokenSpans, remaining: int = CHUNK) -> CaptionLength:
    """Measure a caption; ``remaining`` is the number of tokens that one context has left for it."""
    found = spans(text)
    end = found[remaining - 1][1] if 0 < remaining < len(found) else (0 if found and remaining <= 0 else len(text))
    return CaptionLength(len(found), text[:end], text[end:])
