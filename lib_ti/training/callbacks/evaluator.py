"""Validation during a run: the history of its checks, and the best checkpoint."""

from __future__ import annotations

import math
from dataclasses import replace

from lib_ti.config import TrainConfig
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.signals import Evaluated, Listener, LogMessage
from lib_ti.training.files.run_folder import BEST
from lib_ti.training.files.tables import Table
from lib_ti.training.inputs import RunInputs
from lib_ti.training.intervals import is_due
from lib_ti.training.resume import RunTarget
from lib_ti.training.trainer import Callback, Trainer
from lib_ti.training.validation import history
from lib_ti.training.validation.cadence import Cadence
from lib_ti.training.validation.differences import error_from
from lib_ti.training.validation.history import Check
from lib_ti.training.validation.measurement import Measurement
from lib_ti.training.validation.verdict import Progress, Verdict, due_progress, judge


class Evaluator(Callback):
    """Adds checks to the run's history, in memory and in ``evaluation.csv``.

    Parameters
    ----------
    table
        With :data:`lib_ti.training.validation.history.COLUMNS`, the rows of earlier sessions in it.
    inputs, target
        What the run works on, and the state that it starts from.
    config
        Says when to validate, whether to stop when done, and whether to restore the best step.
    """

    def __init__(
        self,
        measurement: Measurement,
        table: Table,
        inputs: RunInputs,
        target: RunTarget,
        *,
        config: TrainConfig,
        listen: Listener,
    ) -> None:
        self._measurement, self._table = measurement, table
        self._folder, self._suffix = target.folder, inputs.path.suffix
        self._first_step, self._config, self._listen = target.state.step, config, listen
        self._every = config.validate_every
        images_per_step = config.batch_size * config.gradient_accumulation
        self._cadence = Cadence(images_per_step, measurement.count)
        self._history = list(history.read_history(table.path))
        best_step, best_vectors = target.state.best_step, target.state.best_vectors
        self.best: Embedding | None = (
            None if best_step is None else inputs.embedding.with_vectors(best_vectors, step=best_step)
        )
        """The embedding after the best step so far."""
        self.verdict: Verdict | None = None
        """After the last check of this session; None before the first one."""
        self.step: int | None = None
        """Step of that check."""
        self._ended_before = target.state.ended
        self._progress = Progress("unknown")
        self._due: list[Check] = []
        self._follow()

    @property
    def ends_run(self) -> bool:
        """Whether the run ends here, because it is done.

        One that ended before this session, and is trained further, ends when the next check finds it done again.
        """
        return self._config.stop_when_done and self._progress.confirmed and not self._ended_before

    def has_ended(self, trainer: Trainer) -> bool:
        """Return whether the run has ended by itself."""
        return trainer.finished or self.ends_run

    def best_to_restore(self, trainer: Trainer) -> Embedding | None:
        """Return the best embedding, where the run has ended by itself and a later step is worse.

        Losses of training images don't tell which step is best, and an embedding that learned nothing is left as it is.
        """
        verdict, best = self.verdict, self.best
        if not (self._config.restore_best and self.has_ended(trainer) and verdict and best and verdict.gained):
            return None
        unseen = history.segments(self._history)[-1][-1].unseen
        return best if unseen and verdict.first_step < best.step < trainer.step else None

    def on_run_start(self, trainer: Trainer) -> None:
        """Validate before the first step, to compare everything later with."""
        if self._every and not trainer.resumed:
            self._validate(trainer, due=True)

    def on_step_end(self, trainer: Trainer) -> None:
        chosen = self._every < 0 and self._cadence.is_due(trainer.step, self._due, self._progress.state)
        if chosen or is_due(trainer.step, self._every):
            self._validate(trainer, due=True)

    def on_run_end(self, trainer: Trainer) -> None:
        if not self._every or self.step == trainer.step:
            return
        former = self._comparable()
        if former and former[-1].step == trainer.step:  # no step was taken in this session
            self.verdict, self.step = judge(self._history), trainer.step
        else:
            self._validate(trainer, due=False)

    def _validate(self, trainer: Trainer, *, due: bool) -> None:
        trainer.flush_pending()
        embedding = trainer.live
        known = self._comparable()
        check = replace(self._measurement.check(embedding, known[-1].no_keyword if known else None), due=due)
        self._history.append(check)
        verdict = self.verdict = judge(self._history)
        self._follow()
        self.step = check.step
        self._ended_before = self._ended_before and not due
        best_step = verdict.best_step if verdict else None
        self._table.add(*history.row(check, best_step))
        if best_step == check.step:
            self._keep_former_best()
            self.best = embedding.snapshot()
        best = min((c for c in known if math.isfinite(c.loss)), key=lambda c: c.loss, default=None)
        self._listen(_event(check, verdict, error_from(best, check) if math.isfinite(check.loss) else 0.0))

    def _follow(self) -> None:
        """Remember what the next check's step depends on."""
        self._due = [check for check in self._comparable() if check.due]
        self._progress = due_progress(self._due)

    def _comparable(self) -> list[Check]:
        """Return the checks on the present data."""
        return [check for check in self._history if check.data == self._measurement.data]

    def _keep_former_best(self) -> None:
        """Save the best checkpoint under another name before one that cannot be compared with it takes its place."""
        former = self.best
        if former is None or any(check.step == former.step for check in history.segments(self._history)[-1]):
            return
        path = self._folder.checkpoint(f"{BEST}-until-{self._first_step}", self._suffix)
        files.save(former, path)
        self._listen(
            LogMessage(
                f"The best checkpoint so far (step {former.step}) is kept as {path.name}: its validation loss is not "
                "comparable with that of the present images and settings."
            )
        )


def _event(check: Check, verdict: Verdict | None, error: float) -> Evaluated:
    if verdict is None:
        return Evaluated(check.step, check.loss, check.step, check.loss, None, None, None, "")
    return Evaluated(
        step=check.step,
        loss=check.loss,
        first_step=verdict.first_step,
        first_loss=verdict.first_loss,
        best_step=verdict.best_step,
        best_loss=verdict.best_loss,
        gained=verdict.gained,
        overtraining=verdict.overtraining,
        state=verdict.state,
        headline=verdict.headline,
        reason=verdict.reason,
        done_step=verdict.done_step,
        error=error,
        no_keyword=check.no_keyword,
    )
