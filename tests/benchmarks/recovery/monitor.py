"""Measures a run from outside, at given steps, and keeps the time that this takes apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from torch import Tensor

from lib_ti.training.trainer import Callback, Trainer
from lib_ti.training.validation.validation_loss import ValidationLoss

STANDARD = (25, 50, 100, 200, 400, 1000)
"""Steps at which the table shows the gap."""
SHORT = 150
"""Runs of up to so many steps are checked more often."""


@dataclass(frozen=True)
class Check:
    """What was measured after ``step`` steps.

    Parameters
    ----------
    seconds
        CPU seconds of the steps so far.
    loss
        Mean on the unseen images.
    norm
        Mean length of the vectors, in units of the initial ones'.
    validation, training
        Losses of 32 samples of 8 validation images and of training images; empty unless asked for.
    """

    step: int
    seconds: float
    loss: float
    norm: float
    validation: tuple[float, ...]
    training: tuple[float, ...]


def due_steps(steps: int) -> list[int]:
    """Return the steps after which a run of so many steps is checked, 0 first."""
    if steps <= SHORT:
        found = {*range(0, 30, 5), 30, 40, 50, *range(75, steps, 25)}
    elif steps <= 2 * SHORT:
        found = {*range(0, 60, 10), *range(75, 200, 25), *range(200, steps, 50)}
    else:
        found = {*range(0, 100, 10), 100, 125, 150, 175, 200, 250, 300, 350, *range(400, steps, 200)}
    return sorted({step for step in (*found, *STANDARD) if step < steps} | {steps})


@dataclass(frozen=True)
class Losses:
    """The loss on the unseen images, and where single samples are asked for on validation and training images."""

    gap: ValidationLoss
    validation: ValidationLoss | None = None
    training: ValidationLoss | None = None


class Monitor(Callback):
    """Adds a :class:`Check` at each due step.

    Parameters
    ----------
    due
        Steps to check after; once the goal is reached, only those of them that the table shows and the last one.
    goal
        Loss that is 0.8 of the way to the true words.
    first_norm
        Mean length of the initial vectors.
    """

    def __init__(self, losses: Losses, due: Sequence[int], *, goal: float, first_norm: float) -> None:
        self.checks: list[Check] = []
        self.listeners: list[Callable[[Trainer, Check], None]] = []
        """Called after each check."""
        self.reached = False
        """Whether a check was at the goal."""
        self._losses, self._due, self._goal = losses, frozenset(due), goal
        self._seconds, self._since, self._first_norm = 0.0, 0.0, first_norm

    def on_run_start(self, trainer: Trainer) -> None:
        self._since = time.process_time()
        self._check(trainer)

    def on_step_end(self, trainer: Trainer) -> None:
        due = self._due & {*STANDARD} if self.reached and not self._losses.training else self._due
        if trainer.step in due:
            self._check(trainer)

    def on_run_end(self, trainer: Trainer) -> None:
        if self.checks[-1].step != trainer.step:
            self._check(trainer)

    def _check(self, trainer: Trainer) -> None:
        self._seconds += time.process_time() - self._since
        embedding, losses = trainer.live, self._losses
        check = Check(
            step=trainer.step,
            seconds=self._seconds,
            loss=fmean(losses.gap(embedding)),
            norm=mean_norm(trainer.embeddings.named) / self._first_norm,
            validation=tuple(losses.validation(embedding)) if losses.validation else (),
            training=tuple(losses.training(embedding)) if losses.training else (),
        )
        self.checks.append(check)
        self.reached |= check.loss <= self._goal
        for listener in self.listeners:
            listener(trainer, check)
        self._since = time.process_time()


def mean_norm(vectors: Mapping[str, Tensor]) -> float:
    """Return the mean length of vectors (count, width) of all encoders."""
    return fmean(float(vector.detach().norm(dim=1).mean()) for vector in vectors.values())
