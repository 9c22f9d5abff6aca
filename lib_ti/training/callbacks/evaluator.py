"""Validation during a run: the history of its checks, and the best checkpoint."""

from __future__ import annotations

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
from lib_ti.training.validation.validation_loss import ValidationLoss, norm_ratio
from lib_ti.training.validation.verdict import Verdict, judge


class Evaluator(Callback):
    """Adds checks to the run's history, in memory and in ``evaluation.csv``.

    Parameters
    ----------
    loss
        On validation images, where ``unseen``, or on training images.
    table
        With :data:`lib_ti.training.validation.history.COLUMNS`, the rows of earlier sessions in it.
    inputs, target
        What the run works on, and the state that it starts from.
    every
        Steps between two checks; 0 for none.
    """

    def __init__(
        self,
        loss: ValidationLoss,
        table: Table,
        inputs: RunInputs,
        target: RunTarget,
        *,
        unseen: bool,
        every: int,
        listen: Listener,
    ) -> None:
        self._loss, self._table = loss, table
        self._folder, self._suffix = target.folder, inputs.path.suffix
        self._first_step, self._data = target.state.step, target.state.identity.data
        self._unseen, self._every, self._listen = unseen, every, listen
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

    def on_run_start(self, trainer: Trainer) -> None:
        """Validate before the first step, to compare everything later with."""
        if self._every and not trainer.resumed:
            self._validate(trainer)

    def on_step_end(self, trainer: Trainer) -> None:
        if is_due(trainer.step, self._every):
            self._validate(trainer)

    def on_run_end(self, trainer: Trainer) -> None:
        if self._every and self.step != trainer.step:
            self._validate(trainer)

    def _validate(self, trainer: Trainer) -> None:
        trainer.flush_pending()
        embedding = trainer.live
        check = history.new_check(
            embedding.step,
            self._loss(embedding),
            norm=norm_ratio(embedding, dict(trainer.model.info.word_norm)),
            data=self._data,
            unseen=self._unseen,
        )
        self._history.append(check)
        verdict = self.verdict = judge(self._history)
        self.step = check.step
        best_step = verdict.best_step if verdict else None
        self._table.add(*history.row(check, best_step))
        if best_step == check.step:
            self._keep_former_best()
            self.best = embedding.snapshot()
        self._listen(
            Evaluated(
                step=check.step,
                loss=check.loss,
                first_step=verdict.first_step if verdict else check.step,
                first_loss=verdict.first_loss if verdict else check.loss,
                best_step=best_step,
                best_loss=verdict.best_loss if verdict else None,
                gained=verdict.gained if verdict else None,
                overtraining=verdict.overtraining if verdict else "",
            )
        )

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
