"""Learning-rate schedules in the WebUI's syntax: ``0.005`` or ``0.005:100, 1e-3:1000, 1e-5``.

``rate:step`` holds until that step of the embedding, counted from its creation (as in the WebUI, steps are absolute);
a rate without a step holds to the end. On top of it a linear warm-up and a cosine decay can be laid.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from lib_ti.wording import number, quoted

FINAL_SHARE = 0.05
"""Share of the rate that a cosine decay ends with."""
_COLON = re.compile(r"\s*:\s*")
_DECIMAL_COMMA = re.compile(r"(?<![\d.:eE+-])\d+,\d+(?![\d.])")


@dataclass(frozen=True)
class RateSchedule:
    """Rates by step. ``pieces`` are (rate, last step) in rising order; the last step of the last may be ``None``."""

    pieces: tuple[tuple[float, int | None], ...]
    warmup_steps: int = 0
    cosine: bool = False

    def base_rate(self, step: int) -> float:
        """Rate of the piece that step number ``step`` (1 is the first) falls into."""
        for rate, last in self.pieces:
            if last is None or step <= last:
                return rate
        return self.pieces[-1][0]

    def rate(self, step: int, *, first_step: int, max_steps: int) -> float:
        """Rate of step number ``step`` of a run whose first step is ``first_step`` and whose last is ``max_steps``.

        The warm-up counts from ``first_step``, the cosine ends at ``max_steps``.
        """
        rate = self.base_rate(step)
        if self.cosine:
            done = (step - first_step) / max(1, max_steps - first_step)
            rate *= FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        if self.warmup_steps:
            rate *= min(1.0, (step - first_step + 1) / self.warmup_steps)
        return rate


def parse_rates(text: str, *, what: str = "Embedding learning rate") -> tuple[tuple[float, int | None], ...]:
    """Read the pieces of a schedule.

    Raises
    ------
    ValueError
        With one sentence fit for the user: which part, what is wrong, what is expected.
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
        rate = _number(rate_text, part, what, example)
        last: int | None = None
        if colon and step_text.strip() != "-1":
            if not step_text.strip().isdecimal():
                raise ValueError(f"{what}: {quoted(part)} has no whole step number after the colon; {example}.")
            last = int(step_text)
            if last <= previous:
                raise ValueError(
                    f"{what}: step {last} in {quoted(part)} does not come after {previous}; put rising steps."
                )
            previous = last
        elif index < len(parts) - 1:
            raise ValueError(
                f"{what}: {quoted(part)} has no step, so that {quoted(parts[index + 1])} would never begin; {example}."
            )
        pieces.append((rate, last))
    return tuple(pieces)


def check_reaches(pieces: tuple[tuple[float, int | None], ...], max_steps: int) -> str | None:
    """One sentence when the schedule ends before ``max_steps``, which would leave steps without a rate."""
    last = pieces[-1][1]
    if last is not None and last < max_steps:
        return (
            f"Embedding learning rate ends at step {last}, and Max steps is {max_steps}: "
            f"add a last rate without a step, such as “, {number(pieces[-1][0])}”, or lower Max steps."
        )
    return None


def _with_points(text: str) -> str | None:
    """The schedule with points in the place of decimal commas; None where it has none.

    In a list a comma follows a step, which follows a colon, so that between bare digits it is a decimal one.
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
