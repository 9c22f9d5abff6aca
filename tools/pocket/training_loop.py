"""What the pocket's training scripts share: a clock that the learning rate follows, a log, and safe saving."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor


class Clock:
    """How far a training is, by time: `spent` seconds before this start, `minutes` to go from now."""

    def __init__(self, minutes: float, spent: float = 0.0) -> None:
        self._began = time.monotonic() - spent
        self._total = spent + minutes * 60

    @property
    def spent(self) -> float:
        """Seconds of training so far, earlier starts included."""
        return time.monotonic() - self._began

    @property
    def share(self) -> float:
        """0 at the beginning, 1 and more when the time is over."""
        return self.spent / self._total


class Log:
    """Prints the means of the values it is given, every `every` steps, and the seconds a step took."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._sums: dict[str, float] = {}
        self._since = time.monotonic()

    def step(self, number: int, share: float, **values: Tensor) -> None:
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value.item() / self._every
        if number % self._every == 0:
            now = time.monotonic()
            means = " ".join(f"{name} {value:.4f}" for name, value in self._sums.items())
            speed = (now - self._since) / self._every
            sys.stdout.write(f"{number} {means} {speed:.3f} s/step {share:.1%}\n")
            sys.stdout.flush()
            self._sums, self._since = {}, now


def save(state: object, path: Path) -> None:
    """Write with torch, so that a kill in the middle leaves the old file."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


@torch.no_grad()
def follow(average: Iterable[Tensor], parameters: Iterable[Tensor], decay: float, step: int) -> None:
    """Move the running average of the weights on; its memory is short at first."""
    share = 1 - min(decay, step / (step + 15))
    torch._foreach_lerp_(list(average), [parameter.detach() for parameter in parameters], share)
