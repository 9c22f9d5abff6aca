"""One run from its first step to its last: what is done before, between and after the steps."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from lib_ti import __version__
from lib_ti.atomic import remove_leftovers, write_bytes
from lib_ti.config import TrainConfig, to_mapping
from lib_ti.data import dataset, latents
from lib_ti.data.templates import Template
from lib_ti.embedding import card, files
from lib_ti.errors import TrainingFailed, UserError, out_of_memory
from lib_ti.host.base import Host, Model
from lib_ti.signals import (
    Control,
    Evaluated,
    Note,
    PreviewFailed,
    PreviewMade,
    RunFinished,
    RunStarted,
    Saved,
    StepDone,
)
from lib_ti.training import evaluation, plot, rundir
from lib_ti.training.begin import Start
from lib_ti.training.preview import Previews, infotext, save_picture
from lib_ti.training.runlog import Told
from lib_ti.training.source import BatchSource, evaluation_samples, plain_prompts
from lib_ti.training.state import Best
from lib_ti.training.trainer import Trainer, TrainingBatch

STATE_EVERY_SECONDS = 30.0
"""Longest time between two saves of the state: what a power cut can cost."""
FLUSH_EVERY_SECONDS = 2.0


class Course:
    """One run from its first step to its last: the duties between steps, in one place."""

    def __init__(
        self, host: Host, config: TrainConfig, model: Model, start: Start, told: Told, control: Control
    ) -> None:
        self._host, self._config, self._model, self._folder = host, config, model, start.folder
        self._path, self._state, self._listen, self._control = start.path, start.state, told, control
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
        self._began_at = state.step
        self._begun = self._state_saved = self._flushed = time.monotonic()
        self._evaluated = self._saved = self._previewed = -1

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
        self._measure = evaluation.FixedLoss(self._model, samples, seed=config.seed, batch_size=config.batch_size)
        self._held_out = bool(found.held_out)
        prompts = plain_prompts(found.items, template.lines, self._embedding.name)
        self._previews = Previews(self._model, config, prompts, size=size, seed=state.preview_seed)
        self._open(found, template)
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
        self._losses = rundir.Table(folder.losses, rundir.LOSS_COLUMNS, last_step=step)
        self._evaluations = rundir.Table(folder.evaluations, rundir.EVALUATION_COLUMNS, last_step=step)
        remove_leftovers(self._path)
        self._listen.write_to(folder.log)
        folder.write_settings(
            {
                "lib_ti": __version__,
                "settings": to_mapping(self._config),
                "host": dict(self._host.arguments),
                "model": {"name": self._model.info.name, "hash": self._model.info.hash},
                "vectors": self._embedding.count,
                "template": list(template.lines),
                "pictures": [item.path.name for item in found.items],
                "held_out": [item.path.name for item in found.held_out],
                "preview_seed": self._state.preview_seed,
            }
        )

    def _steps(self) -> RunFinished:
        if not self._resumed:
            self._first_look()
        reason = self._trainer.run(self)
        self._conclude(reason)
        event = RunFinished(
            step=self._trainer.step,
            reason=reason,
            embedding=self._path,
            folder=self._folder.path,
            best_step=self._state.best.step if self._state.best else None,
            seconds=time.monotonic() - self._begun,
        )
        self._listen(event)
        return event

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
        if self._host.interrupted():
            self._control.stop()
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
        measured = self._evaluated == step or not config.evaluate_every
        try:
            if not measured:
                self._evaluate()
        finally:
            # Whatever becomes of the measurement, the steps are not lost; and it may have found a new best.
            if self._saved != step or not measured:
                self._save(copy=self._saved != step and config.save_embedding_every > 0)
        if config.save_image_every and self._previewed != step and reason == "done":
            self._preview()
        self._finish_pictures()

    # What they consist of

    def _evaluate(self) -> None:
        self._trainer.settle(self)
        live, state = self._trainer.live, self._state
        loss = self._measure(live)
        self._evaluated = live.step
        norm = evaluation.norm_ratio(live, dict(self._model.info.vocabulary_norm))
        self._evaluations.add(live.step, f"{loss:.7f}", f"{norm:.4f}")
        first = loss if state.first_loss is None else state.first_loss
        if state.best is None or evaluation.is_new_best(loss, state.best.loss):
            best, vectors, checks = Best(live.step, loss), live.snapshot().vectors, 0
        else:
            best, vectors, checks = state.best, state.best_vectors, state.checks_since_best + 1
        self._state = replace(state, first_loss=first, best=best, best_vectors=vectors, checks_since_best=checks)
        self._listen(
            Evaluated(
                step=live.step,
                loss=loss,
                best_step=best.step,
                best_loss=best.loss,
                first_loss=first,
                overtraining=evaluation.is_overtraining(loss, best.loss, checks, held_out=self._held_out),
            )
        )

    def _save(self, *, copy: bool) -> None:
        """Copies, the embedding itself, the state; "saved" is said after every embedding was read again."""
        self._trainer.settle(self)
        now = self._trainer.live.snapshot()
        written: list[Path] = []
        suffix = self._path.suffix
        if copy:
            written.append(self._folder.copy(now.step, suffix))
            files.save(now, written[-1])
        if self._state.best:
            best = now.with_vectors(self._state.best_vectors, step=self._state.best.step)
            written.append(self._folder.copy("best", suffix))
            files.save(best, written[-1])
        if not self._path.exists():
            self._listen(
                Note(f"{self._path} was moved or removed while it was trained, and is written anew.", warning=True)
            )
        files.save(now, self._path)
        written.append(self._path)
        # The state comes last: a run that is killed in between goes on from the state before and writes these again.
        self._state = replace(self._state, published=now.step)
        self._save_state()
        self._host.embedding_saved(self._path)
        self._saved = now.step
        self._listen(Saved(now.step, tuple(written)))

    def _save_state(self) -> None:
        self._trainer.settle(self)
        self._flush()
        trainer = self._trainer
        self._state = replace(
            self._state,
            step=trainer.step,
            vectors=trainer.live.snapshot().vectors,
            optimizer={key: tensor.detach().cpu().clone() for key, tensor in trainer.optimizer.state().items()},
            scale={key: tensor.detach().cpu().clone() for key, tensor in trainer.scale.state().items()},
            smoothed=trainer.smoothed,
        )
        self._state.save(self._folder.state)
        self._state_saved = time.monotonic()

    def _preview(self) -> None:
        """Draw and write the preview; whatever goes wrong with it is told and never ends the run."""
        self._trainer.settle(self)
        embedding = self._trainer.live.snapshot()
        self._previewed = embedding.step
        try:
            picture, request = self._previews.draw(embedding)
            path = self._folder.preview(embedding.step)
            save_picture(path, picture, infotext(request, self._model.info))
            if self._config.png_chunks:
                card.save_card(self._folder.card(embedding.step), picture, embedding)
        except Exception as error:  # noqa: BLE001 - a preview may fail in any way, memory included
            reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            self._listen(PreviewFailed(embedding.step, reason))
            return
        self._listen(PreviewMade(embedding.step, path, request.prompt, request.seed))

    def _finish_pictures(self) -> None:
        """The loss curve, and the best preview beside the embedding, where the WebUI's card shows it."""
        try:
            plot.loss_plot(self._folder)
            best = self._state.best.step if self._state.best else self._trainer.step
            picture = self._folder.preview_near(best)
            if picture:
                write_bytes(self._path.with_name(f"{self._path.stem}.preview.png"), picture.read_bytes())
        except (OSError, UserError) as error:
            self._listen(Note(f"The loss curve or the card's picture is missing: {error}", warning=True))

    def _flush(self) -> None:
        self._losses.flush()
        self._evaluations.flush()
        self._flushed = time.monotonic()


def _is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
