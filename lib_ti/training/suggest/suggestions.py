"""Which words of a ranking stand out, if any: a ranking of words that do not help would be worse than none."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import torch
from torch import Tensor

from lib_ti.training.suggest.ranking import Ranking, gains
from lib_ti.wording import counted, printable

ERRORS = 3.0
"""Standard errors by which a word must be better than no word on samples that had no part in choosing it."""
SHARE = 0.2
"""Part of the gain of the whole prompt over an empty one that a word must add: what all captions say together is the
scale of what words can do on these images."""
FIELD = 4.0
"""How far a word must be above the median of all candidates, in units of the distance of their 90th percentile."""
QUANTILE = 0.9
ALIKE = 0.9
"""Part of the best word's gain from which on a word with fewer tokens goes first: “cross”, not “cross stitch”."""
BESIDE = 1 / 3
"""Part of the best word's gain that the others need to be suggested beside it."""
MOST = 5
"""Words that are suggested, at most."""


@dataclass(frozen=True)
class Suggestion:
    """A word that helps.

    ``gain`` is the share of the loss without a word that it saves, in 0..1, and ``error`` its standard error;
    ``ahead`` is by which share its loss is below that of the next word, and ``ahead_error`` the error of that.
    ``tokens`` is how many vectors it fills.
    """

    text: str
    tokens: int
    gain: float
    error: float
    ahead: float
    ahead_error: float


@dataclass(frozen=True)
class Suggestions:
    """The words that stand out, the best first; none where no word helps.

    ``best`` is the best finalist, be it suggested or not, and ``needed`` the gain from which on it would have been.
    """

    words: tuple[Suggestion, ...]
    best: Suggestion
    needed: float
    compared: int

    def describe(self) -> tuple[str, ...]:
        """Return sentences and a table for a terminal."""
        if not self.words:
            best, share = printable(self.best.text), _share(self.best.gain, self.best.error)
            said = (
                f"None of these words helps: with the best of {self.compared}, “{best}”, the loss is {share} below "
                f"that without a word; a word stands out from {self.needed:.0%} on. Start from a neutral word, such as "
                "“style”, or from *."
            )
            return (said,)
        width = max(len(word.text) for word in self.words)
        head = f"{counted(len(self.words), 'word')} of {self.compared} stand{'s' if len(self.words) == 1 else ''} out:"
        return (head, *(f"  {word.text:{width}}  {_line(word)}" for word in self.words))


def judge(ranking: Ranking, tokens: Sequence[int]) -> Suggestions:
    """Judge the finalists of a ranking.

    A word must be better than no word by :data:`ERRORS` standard errors, and stand out from the field of candidates.
    The errors alone are not enough: of 2,000 words that have nothing to do with the images, some shift the model's
    predictions a little in the right direction, and do so on other images too.

    Parameters
    ----------
    tokens
        Of each finalist.
    """
    gain = gains(ranking.losses, ranking.no_word)
    middle, upper = (float(ranking.field.quantile(share)) for share in (0.5, QUANTILE))
    prompt = float(gains(ranking.no_word[None], ranking.no_prompt).mean())
    needed = max(middle, 0.0) + max(SHARE * prompt, FIELD * (upper - middle))
    order = sorted(range(len(gain)), key=_rank_key(gain.mean(dim=1), tokens))
    words = []
    for place, following in zip_longest(order, order[1:]):
        next_gain = torch.zeros_like(gain[0]) if following is None else gain[following]
        margins = _mean(gain[place]), _mean(gain[place] - next_gain)
        words.append(Suggestion(ranking.words[place], tokens[place], *margins[0], *margins[1]))
    least = max(_saved(needed), BESIDE * words[0].gain)
    helpful = [word for word in words if word.gain >= max(least, ERRORS * word.error)]
    return Suggestions(tuple(helpful[:MOST]), words[0], _saved(needed), ranking.compared)


def _rank_key(gain: Tensor, tokens: Sequence[int]) -> Callable[[int], tuple[bool, int, float]]:
    """Return the sort key of finalists: those about as good as the best by their tokens, then the others by gain."""
    enough = ALIKE * float(gain.max())

    def key(place: int) -> tuple[bool, int, float]:
        alike = float(gain[place]) >= enough > 0
        return not alike, tokens[place] if alike else 0, -float(gain[place])

    return key


def _mean(ratios: Tensor) -> tuple[float, float]:
    """Return the mean of logarithms of ratios as a saved share, and its standard error."""
    mean, error = float(ratios.mean()), float(ratios.std()) / math.sqrt(len(ratios))
    return _saved(mean), error * math.exp(-mean)


def _saved(ratio: float) -> float:
    return 1 - math.exp(-ratio)


def _line(word: Suggestion) -> str:
    ahead = _share(word.ahead, word.ahead_error)
    return (
        f"loss {_share(word.gain, word.error)} below no word, {ahead} below the next ({counted(word.tokens, 'token')})"
    )


def _share(value: float, error: float) -> str:
    return f"{value:.0%} ± {error:.0%}"
