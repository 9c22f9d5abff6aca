"""The checks of a run as it goes: measures the embedding, keeps the history and the best checkpoint."""

from __future__ import annotations

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.model import Model
from lib_ti.signals import Evaluated, Listener, Note
from lib_ti.training import history
from lib_ti.training.begin import Start
from lib_ti.training.evaluation import ValidationLoss, norm_ratio
from lib_ti.training.rundir import BEST
from lib_ti.training.tables import Table
from lib_ti.training.verdict import Verdict, judge


class Evaluator:
    """Adds checks to the run's history, in memory and in ``evaluation.csv``.

    Parameters
    ----------
    loss
        On validation images, where ``unseen``, or on training images.
    start
        Of the run. Checks of steps after that of its state are dropped from the table: the run repeats these steps.
    """

    def __init__(self, model: Model, loss: ValidationLoss, start: Start, *, unseen: bool, listen: Listener) -> None:
        self._loss, self._start, self._unseen, self._listen = loss, start, unseen, listen
        self._word_norms = dict(model.info.vocabulary_norm)
        path, state = start.folder.evaluations, start.state
        self._table = Table(path, history.COLUMNS, last_step=state.step)
        self._history = list(history.read_history(path))
        self.best: Embedding | None = None
        """The embedding after the best step so far."""
        if state.best_step is not None:
            self.best = start.embedding.with_vectors(state.best_vectors, step=state.best_step)
        self.verdict: Verdict | None = None
        """After the last check of this session; None before the first one."""
        self.step: int | None = None
        """Step of that check."""

    def check(self, embedding: Embedding) -> None:
        """Measure the embedding, and make it the best one where it is."""
        check = history.measured(
            embedding.step,
            self._loss(embedding),
            norm=norm_ratio(embedding, self._word_norms),
            data=self._start.state.identity.data,
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

    def flush(self) -> None:
        self._table.flush()

    def _keep_former_best(self) -> None:
        """Save the best checkpoint under another name before one that cannot be compared with it takes its place."""
        former = self.best
        if former is None or any(check.step == former.step for check in history.segments(self._history)[-1]):
            return
        start = self._start
        path = start.folder.copy(f"{BEST}-until-{start.state.step}", start.path.suffix)
        files.save(former, path)
        self._listen(
            Note(
                f"The best checkpoint so far (step {former.step}) is kept as {path.name}: its validation loss is not "
                "comparable with that of the present images and settings."
            )
        )
