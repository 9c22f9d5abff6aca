"""Saving during a run: the embedding, its checkpoints, and the state that the run is resumed from."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import TrainingFailed, out_of_memory
from lib_ti.signals import Control, Listener, LogMessage, Saved
from lib_ti.storage.atomic import CannotWrite
from lib_ti.training.callbacks.evaluator import Evaluator
from lib_ti.training.files.run_folder import BEST
from lib_ti.training.files.tables import Table
from lib_ti.training.intervals import is_due
from lib_ti.training.published_embedding import PublishedEmbedding
from lib_ti.training.resume import RunTarget
from lib_ti.training.trainer import Callback, Trainer

STATE_EVERY_SECONDS = 30.0
"""Longest time between two saves of the state: what a power cut can cost."""
FLUSH_EVERY_SECONDS = 2.0


class Saver(Callback):
    """Saves the embedding when it is due or asked for, the state now and then, and everything at the end.

    Parameters
    ----------
    evaluator
        Knows the best checkpoint; it comes before this one in the list of callbacks.
    tables
        Written before every state, so that no state is ahead of them.
    every
        Steps between numbered checkpoints; 0 for none.
    """

    def __init__(
        self,
        target: RunTarget,
        published: PublishedEmbedding,
        evaluator: Evaluator,
        tables: Sequence[Table],
        *,
        every: int,
        listen: Listener,
        control: Control,
    ) -> None:
        self._folder, self._state, self._published = target.folder, target.state, published
        self._evaluator, self._tables = evaluator, tables
        self._every, self._listen, self._control = every, listen, control
        self._first_step = target.state.step
        self._earlier_seconds = target.state.seconds
        self._started = self._state_saved = self._flushed = time.monotonic()
        self._saved_step: int | None = None
        self._saved_check: int | None = None
        """Step of the last check when the embedding was last saved."""
        self.restored_step: int | None = None
        """Step of the best embedding, where that one was put into the embeddings folder at the end."""

    @property
    def seconds(self) -> float:
        """How long the run has taken over all its sessions."""
        return self._earlier_seconds + time.monotonic() - self._started

    def on_step_end(self, trainer: Trainer) -> None:
        if self._control.take_save() or is_due(trainer.step, self._every):
            self._save(trainer, checkpoint=True)
        now = time.monotonic()
        if now - self._state_saved > STATE_EVERY_SECONDS:
            self._save_state(trainer)
        elif now - self._flushed > FLUSH_EVERY_SECONDS:
            self._flush()

    def on_run_end(self, trainer: Trainer) -> None:
        if best := self._evaluator.best_to_restore(trainer):
            self._restore(trainer, best)
        elif self._saved_step != trainer.step or self._saved_check != self._evaluator.step:
            self._save(trainer, checkpoint=self._saved_step != trainer.step and self._every > 0)
        elif self._evaluator.has_ended(trainer):
            self._save_state(trainer, ended=True)

    def on_exception(self, trainer: Trainer, error: Exception) -> None:
        """Save what a failing run reached, if it is not saved yet and is known to be good."""
        good = trainer.ending or isinstance(error, TrainingFailed) or out_of_memory(error)
        if good and not isinstance(error, CannotWrite) and trainer.step not in (self._saved_step, self._first_step):
            self._save(trainer, checkpoint=trainer.ending and self._every > 0)

    def _restore(self, trainer: Trainer, best: Embedding) -> None:
        """Save the best embedding as the run's result, and the last one as a checkpoint."""
        self.restored_step = best.step
        self._save(trainer, checkpoint=True, result=best)
        last = self._folder.checkpoint(trainer.step, self._published.path.suffix)
        self._listen(
            LogMessage(
                f"{self._published.path.name} is the embedding of step {best.step}, which has the lowest validation "
                f"loss. That of the last step, {trainer.step}, is kept as {last}: restore it in Results if you prefer "
                "it. Further training continues from the last step."
            )
        )

    def _save(self, trainer: Trainer, *, checkpoint: bool, result: Embedding | None = None) -> None:
        """Save checkpoints, the embedding itself and the state; "saved" is reported after all were verified.

        ``result`` is what the embeddings folder gets, if it is not the embedding as it is now.
        """
        trainer.flush_pending()
        embedding = trainer.live.snapshot()
        written: list[Path] = []
        path = self._published.path
        if checkpoint:
            written.append(self._folder.checkpoint(embedding.step, path.suffix))
            files.save(embedding, written[-1])
        if self._evaluator.best:
            written.append(self._folder.checkpoint(BEST, path.suffix))
            files.save(self._evaluator.best, written[-1])
        self._published.save(result or embedding)
        written.append(path)
        # The state comes last: a run that is killed in between is resumed from the state before and writes these again.
        self._state = replace(self._state, published=(result or embedding).step)
        self._save_state(trainer, ended=self._evaluator.has_ended(trainer) and trainer.ending)
        self._published.refresh()
        self._saved_step, self._saved_check = embedding.step, self._evaluator.step
        self._listen(Saved(embedding.step, tuple(written)))

    def _save_state(self, trainer: Trainer, *, ended: bool = False) -> None:
        trainer.flush_pending()
        self._flush()
        best = self._evaluator.best
        self._state = replace(
            self._state,
            step=trainer.step,
            ended=ended,
            vectors=_on_cpu(trainer.embeddings.named),
            optimizer=_on_cpu(trainer.optimizer.state()),
            scale=_on_cpu(trainer.loss_scale.state()),
            smoothed=trainer.smoothed_loss,
            best_step=best.step if best else None,
            best_vectors=best.vectors if best else {},
            seconds=self.seconds,
        )
        self._state.save(self._folder.state)
        self._state_saved = time.monotonic()

    def _flush(self) -> None:
        for table in self._tables:
            table.flush()
        self._flushed = time.monotonic()


def _on_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
