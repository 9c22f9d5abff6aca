"""One run from its first step to its last: what is done before, between and after the steps."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from lib_ti import __version__
from lib_ti.config import TrainConfig, to_mapping
from lib_ti.data import dataset, latents
from lib_ti.data.templates import Template
from lib_ti.embedding import files
from lib_ti.errors import TrainingFailed, UserError, out_of_memory
from lib_ti.host.base import Host, ModelHost, run_arguments
from lib_ti.host.model import Model
from lib_ti.signals import Control, Note, RunFinished, RunStarted, Saved, StepDone
from lib_ti.training import plot
from lib_ti.training.begin import Start
from lib_ti.training.evaluation import ValidationLoss
from lib_ti.training.evaluator import Evaluator
from lib_ti.training.preview import Previews
from lib_ti.training.previewer import Previewer
from lib_ti.training.published import Published
from lib_ti.training.runlog import Told
from lib_ti.training.source import BatchSource, evaluation_samples, plain_prompts
from lib_ti.training.tables import LOSS_COLUMNS, Table
from lib_ti.training.trainer import Trainer, TrainingBatch
from lib_ti.training.verdict import WINDOW

STATE_EVERY_SECONDS = 30.0
"""Longest time between two saves of the state: what a power cut can cost."""
FLUSH_EVERY_SECONDS = 2.0


class Course:
    """One run from its first step to its last: the duties between steps, in one place."""

    def __init__(
        self, host: Host, config: TrainConfig, model: Model, start: Start, told: Told, control: Control
    ) -> None:
        self._host, self._config, self._model, self._folder = host, config, model, start.folder
        self._state, self._listen, self._control = start.state, told, control
        self._start, self._published = start, Published(host.models, start.path, told)
        embedding, state = start.embedding, start.state
        recipe = {
            **embedding.recipe,
            "run": state.identity.run,
            "settings": to_mapping(config),
            "trained_with": f"lib_ti {__version__}",
        }
        self._embedding = replace(
            embedding.with_vectors(state.vectors, step=state.step),
            model_name=model.info.name,
            model_hash=model.info.hash,
            recipe=recipe,
        )
        self._resumed = bool(state.optimizer)
        self._earlier_seconds = state.seconds
        self._began_at = state.step
        self._begun = self._state_saved = self._flushed = time.monotonic()
        self._saved = -1

    def run(
        self, found: dataset.Dataset, encoded: latents.Latents, template: Template, size: tuple[int, int]
    ) -> RunFinished:
        config, state = self._config, self._state
        source = BatchSource(found, encoded, template, self._embedding.name, config)
        self._trainer = Trainer(
            self._model, config, source, self._embedding, first_step=state.first_step, control=self._control
        )
        if self._resumed:
            self._trainer.restore(dict(state.optimizer), dict(state.scale), state.smoothed)
        samples = evaluation_samples(found, encoded, template, self._embedding.name)
        loss = ValidationLoss(self._model, samples, seed=config.seed, batch_size=config.batch_size)
        prompts = plain_prompts(found.items, template.lines, self._embedding.name)
        previews = Previews(self._model, config, prompts, size=size, seed=state.preview_seed)
        self._previewer = Previewer(
            previews, self._model.info, config, self._folder, listen=self._listen, control=self._control
        )
        self._open(found, template)
        self._evaluator = Evaluator(self._model, loss, self._start, unseen=bool(found.held_out), listen=self._listen)
        self._listen(
            RunStarted(
                name=self._embedding.name,
                folder=self._folder.path,
                first_step=state.step,
                max_steps=config.max_steps,
                pictures=len(found.items),
                held_out=len(found.held_out),
                resumed=self._resumed,
            )
        )
        try:
            return self._steps()
        except TrainingFailed as error:
            self._rescue()
            self._listen(Note(str(error), warning=True))
            raise
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            self._rescue()
            raise TrainingFailed(
                f"Out of memory after step {self._trainer.step}, which is saved: lower Batch size, Width and Height, "
                "or turn on Gradient checkpointing."
            ) from error

    def _open(self, found: dataset.Dataset, template: Template) -> None:
        """Create the run folder; from here on there are traces."""
        folder, step = self._folder, self._state.step
        self._losses = Table(folder.losses, LOSS_COLUMNS, last_step=step)
        self._listen.write_to(folder.log)
        if not self._resumed and (step or "created_with" not in self._embedding.recipe):
            self._published.keep_start(folder.copy(step, self._published.path.suffix))
        folder.write_settings(
            {
                "lib_ti": __version__,
                "settings": to_mapping(self._config),
                "host": run_arguments(self._host),
                "model": {"name": self._model.info.name, "hash": self._model.info.hash},
                "vectors": self._embedding.count,
                "template": list(template.lines),
                "pictures": [item.name for item in found.items],
                "held_out": [item.name for item in found.held_out],
                "preview_seed": self._state.preview_seed,
            }
        )

    def _steps(self) -> RunFinished:
        if not self._resumed:
            self._first_look()
        reason = self._trainer.run(self)
        self._conclude(reason)
        event = self._finished(reason)
        self._listen(event)
        return event

    def _finished(self, reason: str) -> RunFinished:
        step, verdict = self._trainer.step, self._evaluator.verdict
        # Few checks of an interrupted run say nothing about what it would have gained.
        judged = verdict if verdict and (reason == "done" or verdict.checks > WINDOW) else None
        return RunFinished(
            step=step,
            reason=reason,
            embedding=self._published.path,
            folder=self._folder.path,
            best_step=verdict.best_step if verdict else None,
            seconds=self._seconds(),
            steps=step - self._state.first_step,
            stopped_by=self._control.stopped_by if reason == "stopped" else "",
            remark=judged.no_gain or judged.overtraining if judged else "",
        )

    def _seconds(self) -> float:
        """How long the run has taken over all its sessions."""
        return self._earlier_seconds + time.monotonic() - self._begun

    def _rescue(self) -> None:
        """Save what a failing run reached, if it is not saved yet."""
        if self._trainer.step not in (self._saved, self._began_at):
            self._save(copy=False)

    def _first_look(self) -> None:
        """The loss and a preview before the first step, to compare everything later with."""
        if self._config.evaluate_every:
            self._evaluate()
        if self._config.save_image_every:
            self._preview()

    # Duties, called by the trainer

    def stepped(self, event: StepDone, batch: TrainingBatch) -> None:
        self._losses.add(
            event.step,
            batch.epoch,
            batch.position,
            f"{event.loss:.7f}",
            f"{event.rate:g}",
            f"{event.smoothed:.7f}",
            f"{event.seconds:.4f}",
            int(event.skipped),
        )
        self._listen(event)

    def between_steps(self) -> None:
        config, step = self._config, self._trainer.step
        stop_requested(self._host.models, self._control)
        if _is_due(step, config.evaluate_every):
            self._evaluate()
        if self._control.take_save() or _is_due(step, config.save_embedding_every):
            self._save(copy=True)
        if self._control.take_preview() or _is_due(step, config.save_image_every):
            self._preview()
        now = time.monotonic()
        if now - self._state_saved > STATE_EVERY_SECONDS:
            self._save_state()
        if now - self._flushed > FLUSH_EVERY_SECONDS:
            self._flush()

    def _conclude(self, reason: str) -> None:
        """What a run ends with, as far as it was not just done; a stopped one does not wait for a last preview."""
        config, step = self._config, self._trainer.step
        self._trainer.settle(self)
        measured = self._evaluator.step == step or not config.evaluate_every
        try:
            if not measured:
                self._evaluate()
        finally:
            # Whatever becomes of the measurement, the steps are not lost; and it may have found a new best.
            if self._saved != step or not measured:
                self._save(copy=self._saved != step and config.save_embedding_every > 0)
        if config.save_image_every and self._previewer.step != step and reason == "done":
            self._preview()
        self._finish_pictures()

    # What they consist of

    def _evaluate(self) -> None:
        self._trainer.settle(self)
        self._evaluator.check(self._trainer.live)

    def _preview(self) -> None:
        self._trainer.settle(self)
        self._previewer.make(self._trainer.live.snapshot())
        stop_requested(self._host.models, self._control)

    def _save(self, *, copy: bool) -> None:
        """Copies, the embedding itself, the state; "saved" is said after every embedding was read again."""
        self._trainer.settle(self)
        now = self._trainer.live.snapshot()
        written: list[Path] = []
        path = self._published.path
        if copy:
            written.append(self._folder.copy(now.step, path.suffix))
            files.save(now, written[-1])
        if self._evaluator.best:
            written.append(self._folder.copy("best", path.suffix))
            files.save(self._evaluator.best, written[-1])
        self._published.save(now)
        written.append(path)
        # The state comes last: a run that is killed in between goes on from the state before and writes these again.
        self._state = replace(self._state, published=now.step)
        self._save_state()
        self._published.refresh()
        self._saved = now.step
        self._listen(Saved(now.step, tuple(written)))

    def _save_state(self) -> None:
        self._trainer.settle(self)
        self._flush()
        trainer, best = self._trainer, self._evaluator.best
        self._state = replace(
            self._state,
            step=trainer.step,
            vectors=trainer.live.snapshot().vectors,
            optimizer={key: tensor.detach().cpu().clone() for key, tensor in trainer.optimizer.state().items()},
            scale={key: tensor.detach().cpu().clone() for key, tensor in trainer.scale.state().items()},
            smoothed=trainer.smoothed,
            best_step=best.step if best else None,
            best_vectors=best.vectors if best else {},
            seconds=self._seconds(),
        )
        self._state.save(self._folder.state)
        self._state_saved = time.monotonic()

    def _finish_pictures(self) -> None:
        """The loss curve, and the best preview beside the embedding, where the WebUI's card shows it."""
        try:
            plot.loss_plot(self._folder)
            verdict = self._evaluator.verdict
            picture = self._folder.preview_near(verdict.best_step if verdict else self._trainer.step)
            if picture:
                self._published.show(picture)
        except (OSError, UserError) as error:
            self._listen(Note(f"The loss curve or the card's picture is missing: {error}", warning=True))

    def _flush(self) -> None:
        self._losses.flush()
        self._evaluator.flush()
        self._flushed = time.monotonic()


def stop_requested(host: ModelHost, control: Control) -> bool:
    """Whether the run is to end; an Interrupt of the host's becomes a request like the others."""
    interrupted = host.interrupted()
    if interrupted:
        control.stop(interrupted)
    return control.stop_requested


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
