"""The record of a run's steps: a row of the loss table and an event for each."""

from __future__ import annotations

from lib_ti.signals import Listener, LogMessage, RunStarted, StepDone
from lib_ti.training.files.tables import Table
from lib_ti.training.step.batch import TrainingBatch
from lib_ti.training.trainer import Callback, Trainer


class Recorder(Callback):
    """Writes ``textual_inversion_loss.csv``, and reports the start of the run and each step.

    Parameters
    ----------
    losses
        With :data:`lib_ti.training.files.tables.LOSS_COLUMNS`.
    """

    def __init__(self, losses: Table, started: RunStarted, listen: Listener) -> None:
        self._losses, self._started, self._listen = losses, started, listen

    def on_run_start(self, trainer: Trainer) -> None:
        self._listen(self._started)

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
        )
        self._listen(result)
