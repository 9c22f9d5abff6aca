"""Chunks of prompts: contexts of 75 tokens, with embeddings found by their names.

The rules are those of the WebUI (its ``tokenize_line``), so that a prompt means the same in both hosts. A prompt given
as a string is plain text, as captions are; a parsed one has weights and sections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK, END, POSITIONS, START
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.prompt_syntax import Parsed
from lib_ti.wording import quoted

Prompt = str | Parsed
PLACEHOLDER = 0
"""Token in the positions of vectors. It is not an end token, since the first of those ends the text."""
COMMA_BACKTRACK = 20
"""A full context is cut after a comma among its last 20 tokens (the WebUI's default)."""


@dataclass(frozen=True)
class Word:
    """A name that stands for an embedding: its tokens in a prompt, and its number of vectors in the context."""

    tokens: tuple[int, ...]
    count: int
    name: str


def words_of(embeddings: Sequence[Embedding]) -> tuple[Word, ...]:
    """Return the names of embeddings as words."""
    return tuple(Word(tokenize(embedding.name), embedding.count, embedding.name) for embedding in embeddings)


@dataclass(frozen=True)
class Chunk:
    """One context of 77: start token, up to 75 tokens, end tokens.

    ``splices`` are the positions that are vectors, not tokens: (first position, index of the word), in order; their
    token is :data:`PLACEHOLDER`. ``weights`` are those of all 77 positions, or empty where all are 1.
    """

    ids: tuple[int, ...]
    splices: tuple[tuple[int, int], ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def end(self) -> int:
        """Position of the first end token, where a pooled vector is taken."""
        return self.ids.index(END)

    def padded(self, pad: int) -> tuple[int, ...]:
        """Return the 77 tokens with ``pad`` after the first end token."""
        kept = self.end + 1
        return (*self.ids[:kept], *[pad] * (POSITIONS - kept))


EMPTY = Chunk((START, *[END] * (CHUNK + 1)))
"""The context without tokens; shorter prompts of a batch are padded with it."""


@dataclass(frozen=True)
class _Piece:
    """What is not divided between contexts: a token, or all vectors of an embedding."""

    token: int
    length: int = 1
    word: int | None = None
    weight: float = 1.0


@lru_cache(maxsize=8192)
def find_words(prompt: Prompt, words: tuple[Word, ...]) -> tuple[int, ...]:
    """Return the indices of those of ``words`` that are in the prompt, each once, in order of appearance."""
    return tuple(dict.fromkeys(piece.word for piece in chain(*_sections(prompt, words)) if piece.word is not None))


@lru_cache(maxsize=8192)
def count_tokens(prompt: Prompt, words: tuple[Word, ...]) -> int:
    """Count the prompt's tokens, each word as its number of vectors."""
    return _length(list(chain(*_sections(prompt, words))))


@lru_cache(maxsize=8192)
def lay_out(prompt: Prompt, words: tuple[Word, ...]) -> tuple[Chunk, ...]:
    """Return the contexts of a prompt, at least one.

    An embedding is never divided: where it does not fit, a new context begins. A full context is cut after its
    last comma, if that is among its last :data:`COMMA_BACKTRACK` tokens, so that a tag stays whole.

    Raises
    ------
    BadInput
        When a word has more vectors than a context has tokens.
    """
    first, *others = _sections(prompt, words)
    laid_out = _contexts(first, words)
    for section in others:
        laid_out += _contexts(section, words)
    # An empty section is an empty context, except the last one, as in the WebUI.
    if others and not others[-1]:
        laid_out.pop()
    return tuple(map(_chunk, laid_out))


def _contexts(pieces: Sequence[_Piece], words: tuple[Word, ...]) -> list[list[_Piece]]:
    """Return the pieces of each context of a section, at least one."""
    finished: list[list[_Piece]] = []
    chunk: list[_Piece] = []
    for piece in pieces:
        if piece.length > CHUNK:
            name = words[piece.word].name if piece.word is not None else ""
            raise BadInput(f"Embedding {quoted(name)} has {piece.length} vectors, and a prompt takes at most {CHUNK}.")
        if piece.token == _comma() and _length(chunk) == CHUNK:
            finished, chunk = [*finished, chunk], []
        elif _length(chunk) == CHUNK:
            kept, moved = _cut_after_comma(chunk)
            finished, chunk = [*finished, kept], moved
        if _length(chunk) + piece.length > CHUNK:
            finished, chunk = [*finished, chunk], []
        chunk.append(piece)
    return [*finished, chunk]


def _sections(prompt: Prompt, words: tuple[Word, ...]) -> list[list[_Piece]]:
    parsed: Parsed = (((prompt, 1.0),),) if isinstance(prompt, str) else prompt
    return [[piece for text, weight in section for piece in _pieces(text, weight, words)] for section in parsed]


def _pieces(text: str, weight: float, words: tuple[Word, ...]) -> list[_Piece]:
    """Return the text's tokens, with the longest matching word at each position."""
    tokens = tokenize(text)
    longest_first = sorted(range(len(words)), key=lambda index: -len(words[index].tokens))
    pieces: list[_Piece] = []
    position = 0
    while position < len(tokens):
        for index in longest_first:
            name = words[index].tokens
            if name and tokens[position : position + len(name)] == name:
                pieces.append(_Piece(-1, words[index].count, index, weight))
                position += len(name)
                break
        else:
            pieces.append(_Piece(tokens[position], weight=weight))
            position += 1
    return pieces


def _length(pieces: Sequence[_Piece]) -> int:
    return sum(piece.length for piece in pieces)


def _cut_after_comma(chunk: list[_Piece]) -> tuple[list[_Piece], list[_Piece]]:
    """Split a full context into what stays and what moves to the next."""
    for cut in range(len(chunk), 0, -1):
        if _length(chunk[cut:]) >= COMMA_BACKTRACK:
            break
        if chunk[cut - 1].token == _comma():
            return chunk[:cut], chunk[cut:]
    return chunk, []


def _chunk(pieces: Sequence[_Piece]) -> Chunk:
    ids: list[int] = [START]
    splices: list[tuple[int, int]] = []
    weights = [1.0]
    for piece in pieces:
        weights += [piece.weight] * piece.length
        if piece.word is None:
            ids.append(piece.token)
        else:
            splices.append((len(ids), piece.word))
            ids += [PLACEHOLDER] * piece.length
    padding = CHUNK + 2 - len(ids)
    weighted = any(weight != 1 for weight in weights)
    return Chunk((*ids, *[END] * padding), tuple(splices), (*weights, *[1.0] * padding) if weighted else ())


@lru_cache(maxsize=1)
def _comma() -> int:
    return tokenize(",")[0]
