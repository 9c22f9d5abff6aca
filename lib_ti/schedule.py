"""Learning-rate schedules in the WebUI's syntax: ``0.005`` or ``0.005:100, 1e-3:1000, 1e-5``.

``rate:step`` applies until that step of the embedding, counted from its creation (as in the WebUI, steps are absolute);
a rate without a step applies to the end. A linear warm-up and a cosine decay can be combined with it. ``0.74x`` is a
rate relative to the model's word vectors.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Protocol

from lib_ti.wording import number, quoted

FINAL_SHARE = 0.05
"""Share of the learning rate that a cosine decay ends with."""
_COLON = re.compile(r"\s*:\s*")
_DECIMAL_COMMA = re.compile(r"(?<![\d.:eE+-])\d+,\d+(?![\d.])")


class Schedule(Protocol):
    """Learning rates of a run."""

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of step number ``step`` of the embedding; 1 is the first."""
        ...


@dataclass(frozen=True)
class LearningRateSchedule:
    """The WebUI's schedule, with warm-up and cosine decay.

    Parameters
    ----------
    pieces
        (learning rate, last step) in rising order; the last step of the last piece may be None.
    first_step
        Number of the run's first step, from which the warm-up counts.
    max_steps
        Number of its last step, at which the cosine decay ends.
    """

    pieces: tuple[tuple[float, int | None], ...]
    first_step: int = 1
    max_steps: int = 1
    warmup_steps: int = 0
    cosine: bool = False

    def learning_rate(self, step: int) -> float:
        rate = self._base(step)
        if self.cosine:
            done = (step - self.first_step) / max(1, self.max_steps - self.first_step)
            rate *= FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        if self.warmup_steps:
            rate *= min(1.0, (step - self.first_step + 1) / self.warmup_steps)
        return rate

    def _base(self, step: int) -> float:
        """Return the learning rate of the piece that a step belongs to."""
        for rate, last in self.pieces:
            if last is None or step <= last:
                return rate
        return self.pieces[-1][0]


def parse_learning_rates(
    text: str, *, word_rms: float = 1.0, what: str = "Embedding learning rate"
) -> tuple[tuple[float, int | None], ...]:
    """Parse the pieces of a schedule.

    Parameters
    ----------
    word_rms
        What 1x is: the RMS of the coordinates of ordinary words' vectors
        (:attr:`lib_ti.families.model_info.ModelInfo.word_rms`). Relative rates are rounded to three digits.

    Raises
    ------
    ValueError
        With one sentence for the user: which part, what is wrong, what is expected.
    """
    example = "write a number such as 0.005, or a list such as 0.005:100, 1e-3:1000, 1e-5"
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise ValueError(f"{what} is empty: {example}.")
    if written := _with_points(text):
        raise ValueError(f"{what} is {quoted(text.strip())}, with a decimal comma. Write {written}.")
    pieces: list[tuple[float, int | None]] = []
    previous = 0
    for index, part in enumerate(parts):
        rate_text, colon, step_text = part.partition(":")
        relative = rate_text.strip().lower().endswith("x")
        rate = _number(rate_text.strip()[:-1] if relative else rate_text, part, what, example)
        if relative:
            rate = float(f"{rate * word_rms:.3g}")
        last: int | None = None
        if colon and step_text.strip() != "-1":
            if not step_text.strip().isdecimal():
                raise ValueError(f"{what}: {quoted(part)} has no whole step number after the colon; {example}.")
            last = int(step_text)
            if last <= previous:
                raise ValueError(
                    f"{what}: step {last} in {quoted(part)} does not come after {previous}; list rising steps."
                )
            previous = last
        elif index < len(parts) - 1:
            raise ValueError(
                f"{what}: {quoted(part)} has no step, so that {quoted(parts[index + 1])} would never begin; {example}."
            )
        pieces.append((rate, last))
    return tuple(pieces)


def absolute_learning_rates(text: str, word_rms: float) -> str:
    """Return a schedule without relative rates; ``text`` itself where it has none. Raises as the parser does."""
    if "x" not in text.lower():
        return text
    pieces = parse_learning_rates(text, word_rms=word_rms)
    return ", ".join(number(rate) if last is None else f"{number(rate)}:{last}" for rate, last in pieces)


def check_reaches(pieces: tuple[tuple[float, int | None], ...], max_steps: int) -> str | None:
    """Return a sentence when the schedule ends before ``max_steps``, which leaves steps without a learning rate."""
    last = pieces[-1][1]
    if last is not None and last < max_steps:
        return (
            f"Embedding learning rate ends at step {last}, and Max steps is {max_steps}: "
            f"add a last learning rate without a step, such as “, {number(pieces[-1][0])}”, or lower Max steps."
        )
    return None


def _with_points(text: str) -> str | None:
    """Return the schedule with decimal points for decimal commas; None where it has none.

    In a list, a comma follows a step, which follows a colon; between bare digits it is a decimal comma.
    """
    text = _COLON.sub(":", text.strip())
    written = _DECIMAL_COMMA.sub(lambda found: found[0].replace(",", "."), text)
    return written if written != text else None


def _number(text: str, part: str, what: str, example: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        raise ValueError(f"{what}: {quoted(part)} is not a number; {example}.") from None
    if not math.isfinite(rate) or rate <= 0:
        raise ValueError(f"{what}: {number(rate)} must be above 0, or nothing would be learned; {example}.")
    return rate
