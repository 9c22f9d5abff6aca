"""The words that are compared: a list of this program's or the user's own, and the words of the captions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_ti.data.textfile import read_text
from lib_ti.embedding.names import words_of
from lib_ti.errors import BadInput, reason
from lib_ti.wording import counted, printable, some

SHIPPED = Path(__file__).with_name("words.txt")
"""About 2,000 words for styles, media, movements, textures, light, colors and things."""
MOST_TOKENS = 8
"""Tokens of a candidate, at most: longer texts describe an image, and would not fit the usual number of vectors."""
MOST_FROM_CAPTIONS = 200
FEWEST = 200
"""Candidates from which on they show by themselves what ordinary words do."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_FUNCTION_WORDS = frozenset(
    "about above after all along also among and another any are around because before behind below beneath beside "
    "between both but can down each for from had has have her his how into its more most near next not off one onto "
    "other our out over own she some such than that the their them then there these they this those through two under "
    "upon very was were what when where which while who with without you your".split()
)


@dataclass(frozen=True)
class Candidates:
    """Texts to compare, each once, and sentences about those that are not."""

    texts: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def controls(self) -> tuple[str, ...]:
        """Words of the included list to compare few candidates with, from all of its groups."""
        if len(self.texts) >= FEWEST:
            return ()
        known = {words_of(text) for text in self.texts}
        others = [word for word in read_words(SHIPPED) if words_of(word) not in known]
        return tuple(others[:: len(others) // FEWEST])


def read_words(path: Path) -> tuple[str, ...]:
    """Read a list of words or short phrases, one a line; lines that begin with # are headings.

    Raises
    ------
    BadInput
        When the file cannot be read or has no word.
    """
    try:
        text, _ = read_text(path)
    except OSError as error:
        raise BadInput(f"The list of words {printable(path)} cannot be read: {reason(error)}.") from error
    words = tuple(line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    if not words:
        raise BadInput(f"The list of words {printable(path)} has no word: write one word or short phrase a line.")
    return words


def words_of_captions(captions: Iterable[str]) -> tuple[str, ...]:
    """Return the captions' words of three letters or more without function words, the most frequent first."""
    counts = Counter(
        word
        for caption in captions
        for word in dict.fromkeys(_WORD.findall(caption.lower()))
        if word not in _FUNCTION_WORDS
    )
    return tuple(word for word, _ in counts.most_common(MOST_FROM_CAPTIONS))


def collect(words: Sequence[str], captions: Iterable[str], count_tokens: Callable[[str], int]) -> Candidates:
    """Return the words of a list and of captions as candidates, without those that prompts cannot tell apart.

    Parameters
    ----------
    count_tokens
        Returns how many tokens the model reads a text as.

    Raises
    ------
    BadInput
        When no candidate is left.
    """
    by_reading: dict[tuple[str, ...], str] = {}
    for word in (*words, *words_of_captions(captions)):
        by_reading.setdefault(words_of(word), word)
    tokens = {text: count_tokens(text) for text in by_reading.values()}
    long = [text for text, count in tokens.items() if count > MOST_TOKENS]
    unread = [text for text, count in tokens.items() if not count]
    notes = []
    if long:
        notes.append(
            f"{counted(len(long), 'text')} of more than {MOST_TOKENS} tokens, which the model knows only in pieces: "
            f"not compared ({some([printable(text) for text in long])})."
        )
    if unread:
        notes.append(f"{counted(len(unread), 'text')} without a token: not compared.")
    texts = tuple(text for text, count in tokens.items() if 0 < count <= MOST_TOKENS)
    if not texts:
        raise BadInput(["The list of words has none that can be compared.", *notes])
    return Candidates(texts, tuple(notes))
