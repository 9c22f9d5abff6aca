"""Measures a run from outside, at given steps, and keeps the time that this takes apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

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
    else:
        found = {0, 25, 50, 75, 100, 150, 200, 300, *range(400, steps, 200)}
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
        Steps to check after.
    """

    def __init__(self, losses: Losses, due: Sequence[int]) -> None:
        self.checks: list[Check] = []
        self.listeners: list[Callable[[Trainer, Check], None]] = []
        """Called after each check."""
        self._losses, self._due = losses, frozenset(due)
        self._seconds, self._since, self._first_norm = 0.0, 0.0, 1.0

    def on_run_start(self, trainer: Trainer) -> None:
        self._first_norm = _norm(trainer)
        self._since = time.process_time()
        self._check(trainer)

    def on_step_end(self, trainer: Trainer) -> None:
        if trainer.step in self._due:
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
            norm=_norm(trainer) / self._first_norm,
            validation=tuple(losses.validation(embedding)) if losses.validation else (),
            training=tuple(losses.training(embedding)) if losses.training else (),
        )
        self.checks.append(check)
        for listener in self.listeners:
            listener(trainer, check)
        self._since = time.process_time()


def _norm(trainer: Trainer) -> float:
    return fmean(float(vector.detach().norm(dim=1).mean()) for vector in trainer.embeddings.named.values())
