"""The record of a run's steps: a row of the loss table and an event for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from lib_ti.signals import Listener, LogMessage, RunStarted, StepDone
from lib_ti.training.files.tables import Table
from lib_ti.training.step.batch import TrainingBatch
from lib_ti.training.step.norms import norm_range
from lib_ti.training.trainer import Callback, Trainer
from lib_ti.wording import some


class Recorder(Callback):
    """Writes ``textual_inversion_loss.csv``, and reports the start of the run and each step.

    Parameters
    ----------
    losses
        With :data:`lib_ti.training.files.tables.LOSS_COLUMNS`.
    initial_norms
        (count,) by encoder, which the last norms are compared with.
    """

    def __init__(
        self, losses: Table, started: RunStarted, initial_norms: Mapping[str, Tensor], listen: Listener
    ) -> None:
        self._losses, self._started, self._listen = losses, started, listen
        self._initial_norms = initial_norms
        self._last_norms: tuple[float, ...] = ()

    def on_run_start(self, trainer: Trainer) -> None:
        self._listen(self._started)

    def on_run_end(self, trainer: Trainer) -> None:
        if self._last_norms:
            info = trainer.model.info
            self._listen(LogMessage(norms_after(trainer.step, self._last_norms, self._initial_norms, info.word_norm)))

    def on_out_of_memory(self, trainer: Trainer) -> None:
        step, how = trainer.step + 1, trainer.memory.how
        text = f"Step {step} ran out of memory and is repeated with less, which changes no result: from now on {how}."
        self._listen(LogMessage(text, warning=True))

    def on_step_result(self, result: StepDone, batch: TrainingBatch) -> None:
        self._losses.add(
            result.step,
            batch.epoch,
            batch.position,
            f"{result.loss:.7f}",
            f"{result.learning_rate:g}",
            f"{result.smoothed:.7f}",
            f"{result.seconds:.4f}",
            int(result.skipped),
            " ".join(f"{norm:.4g}" for norm in result.norms),
        )
        self._last_norms = result.norms
        self._listen(result)


def norms_after(
    step: int, norms: Sequence[float], initial_norms: Mapping[str, Tensor], word_norm: Mapping[str, float]
) -> str:
    """Return a sentence on how long the vectors are after ``step`` steps; ``norms`` are those of all encoders."""
    parts, place = [], 0
    for key, initial in initial_norms.items():
        now = norms[place : place + len(initial)]
        place += len(initial)
        of_encoder = f" for {key}" if len(initial_norms) > 1 else ""
        first, word = norm_range(initial.tolist()), f"{word_norm[key]:.2g}"
        parts.append(f"{norm_range(now)}{of_encoder} (at first {first}, an ordinary word's {word})")
    return f"The norms of the vectors after step {step} are {some(parts)}."
