"""How much of a caption the text encoder reads at once, and hints for what a caption should say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib_ti.families.clip import CHUNK

TokenSpans = Callable[[str], Sequence[tuple[int, int]]]
"""Where each token of a text begins and ends, by letters; every host's text encoder has CLIP's tokens."""

HINTS = (
    "Say what is to be seen: the subject and what it does, the framing (close-up, from above), the light, the colours.",
    "Do not name the style that is learned: what captions say belongs to their words, the rest goes to the embedding.",
    "For a thing or a person it is the other way round: say the style and the surroundings, not the thing itself.",
    "Up to 75 tokens, about 50 words, are read as one whole, those of the prompt template included.",
)
"""What people should know who write captions, one sentence each."""


@dataclass(frozen=True)
class Length:
    """A caption's number of tokens, and its text in two: what fits into one context, and what goes beyond it."""

    tokens: int
    within: str
    beyond: str


def measure(text: str, spans: TokenSpans, room: int = CHUNK) -> Length:
    """Measure a caption; ``room`` is the number of tokens that one context has left for it."""
    found = spans(text)
    end = found[room - 1][1] if 0 < room < len(found) else (0 if found and room <= 0 else len(text))
    return Length(len(found), text[:end], text[end:])
