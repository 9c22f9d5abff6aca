"""Spreads the tokens of an initialization text over an embedding's vectors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from lib_ti.wording import counted, some


def spread(tokens: int, vectors: int) -> list[int]:
    """Return for each vector the index of the token it starts from, as the WebUI spreads them.

    Of more tokens than vectors only the first are used.
    """
    used = min(tokens, vectors)
    return [vector * used // vectors for vector in range(vectors)]


def describe(text: str, spans: Sequence[tuple[int, int]], vectors: int) -> str:
    """Return a sentence on what the vectors start from; an empty one where each has a token of its own.

    Parameters
    ----------
    spans
        Where each token begins and ends in ``text``, at least one.
    """
    if len(spans) == vectors:
        return ""
    have = f"Initialization text has {counted(len(spans), 'token')} and the embedding {counted(vectors, 'vector')}"
    if len(spans) > vectors:
        used = text[spans[0][0] : spans[vectors - 1][1]]
        first = "only the first token is" if vectors == 1 else f"only the first {vectors} tokens are"
        return f"{have}: {first} used, “{used}”."
    groups = [
        (token, list(members)) for token, members in groupby(range(vectors), spread(len(spans), vectors).__getitem__)
    ]
    starts = [f"“{text[slice(*spans[token])]}” starts {_vectors(members)}" for token, members in groups]
    return f"{have}: {some(starts)}. Repeats get a little noise so that they can diverge."


def _vectors(members: Sequence[int]) -> str:
    first, last = members[0] + 1, members[-1] + 1
    return f"vector {first}" if first == last else f"vectors {first} to {last}"
