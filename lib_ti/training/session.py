"""One session of a run, from its first step to its last: trainer and callbacks, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from lib_ti import __version__
from lib_ti.config import TrainConfig, to_mapping
from lib_ti.data.dataset import Dataset
from lib_ti.data.latents import Latents
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import TrainingFailed, out_of_memory
from lib_ti.host.base import Host, run_arguments
from lib_ti.signals import Control, LogMessage, RunFinished, RunStarted
from lib_ti.storage import aside
from lib_ti.training.build import build_trainer
from lib_ti.training.callbacks.evaluator import Evaluator
from lib_ti.training.callbacks.previewer import Previewer
from lib_ti.training.callbacks.recorder import Recorder
from lib_ti.training.callbacks.run_images import RunImages
from lib_ti.training.callbacks.saver import Saver
from lib_ti.training.files.run_logger import RunLogger
from lib_ti.training.files.tables import LOSS_COLUMNS, Table
from lib_ti.training.images.previews import Previews
from lib_ti.training.memory.sets import MemorySet
from lib_ti.training.published_embedding import PublishedEmbedding
from lib_ti.training.run_plan import RunPlan
from lib_ti.training.step.batch_source import BatchSource, plain_prompts
from lib_ti.training.step.norms import INITIAL_NORMS
from lib_ti.training.stopping import stop_requested
from lib_ti.training.trainer import Trainer
from lib_ti.training.validation import history
from lib_ti.training.validation.measurement import measure_run
from lib_ti.training.validation.samples import RunSamples
from lib_ti.training.validation.verdict import WINDOW


class RunSession:
    """Runs a plan. Constructing it writes nothing; :meth:`run` creates the run folder.

    Parameters
    ----------
    memory
        How steps are computed at first; None for the fastest way.
    """

    def __init__(
        self,
        host: Host,
        config: TrainConfig,
        plan: RunPlan,
        log: RunLogger,
        control: Control,
        memory: MemorySet | None = None,
    ) -> None:
        self._memory = memory
        self._host, self._config, self._plan, self._log, self._control = host, config, plan, log, control
        self._folder, self._state = plan.target.folder, plan.target.state
        self._resumed = bool(self._state.optimizer)
        self._embedding = _embedding(config, plan)

    def run(self, dataset: Dataset, encoded: Latents) -> RunFinished:
        """Train on the encoded images; see :func:`lib_ti.training.run.train` for the errors."""
        self._set_aside_unfinished()
        published = PublishedEmbedding(self._host.models, self._plan.inputs.path, self._log)
        trainer = self._trainer(dataset, encoded)
        losses = Table(self._folder.losses, LOSS_COLUMNS, last_step=self._state.step)
        checks = Table(self._folder.evaluations, history.COLUMNS, last_step=self._state.step)
        self._open_folder(dataset, published)
        recorder = Recorder(losses, self._started(dataset), self._state.initial_norms, self._log)
        evaluator = self._evaluator(dataset, encoded, checks)
        saver = Saver(
            self._plan.target,
            published,
            evaluator,
            (losses, checks),
            every=self._config.save_embedding_every,
            listen=self._log,
            control=self._control,
        )
        callbacks = (
            recorder,
            evaluator,
            saver,
            self._previewer(dataset),
            RunImages(self._folder, published, evaluator, self._log),
        )
        self._say_what_ends_it()
        try:
            reason = trainer.run(callbacks, partial(self._should_stop, evaluator))
        except TrainingFailed as error:
            self._log(LogMessage(str(error), warning=True))
            raise
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            raise TrainingFailed(
                f"Out of memory after step {trainer.step}, which is saved: lower Batch size, Width and Height, or set "
                "Gradient checkpointing to auto."
            ) from error
        finished = self._finished("done" if evaluator.ends_run else reason, trainer, evaluator, saver)
        self._log(finished)
        return finished

    def _trainer(self, dataset: Dataset, encoded: Latents) -> Trainer:
        config, state, template = self._config, self._state, self._plan.inputs.template
        batches = BatchSource(dataset, encoded, template, self._embedding.name, config)
        trainer = build_trainer(
            self._plan.model,
            config,
            batches,
            self._embedding,
            first_step=state.first_step,
            memory=self._memory,
            initial_norms=state.initial_norms,
        )
        if self._resumed:
            trainer.restore(dict(state.optimizer), dict(state.scale), state.smoothed)
        return trainer

    def _should_stop(self, evaluator: Evaluator) -> bool:
        return evaluator.ends_run or stop_requested(self._host.models, self._control)

    def _evaluator(self, dataset: Dataset, encoded: Latents, checks: Table) -> Evaluator:
        config, plan = self._config, self._plan
        measurement = measure_run(
            plan.model,
            RunSamples.of(dataset, encoded, plan.inputs.template, self._embedding.name),
            history.read_history(checks.path),
            data=self._state.identity.data,
            seed=config.seed,
            batch_size=config.batch_size,
            images=(config.max_steps - self._state.first_step) * config.batch_size * config.gradient_accumulation,
        )
        return Evaluator(measurement, checks, plan.inputs, plan.target, config=config, listen=self._log)

    def _say_what_ends_it(self) -> None:
        if self._config.stop_when_done and self._state.ended and self._resumed:
            self._log(
                LogMessage("The run had ended: it is trained further, and stops when a check finds it done again.")
            )

    def _previewer(self, dataset: Dataset) -> Previewer:
        config, plan = self._config, self._plan
        prompts = plain_prompts(dataset.items, plan.inputs.template.lines, self._embedding.name)
        return Previewer(
            Previews(plan.model, config, prompts, size=plan.size, seed=self._state.preview_seed),
            config,
            self._folder,
            listen=self._log,
            control=self._control,
            should_stop=partial(stop_requested, self._host.models, self._control),
        )

    def _set_aside_unfinished(self) -> None:
        for run in self._plan.target.unfinished:
            kept = aside.set_folder_aside(run.path)
            self._log(LogMessage(f"What the run in {run.path} had written before its end is now in {kept}."))

    def _open_folder(self, dataset: Dataset, published: PublishedEmbedding) -> None:
        """Begin the log, and write the settings file and what the run starts from."""
        folder, step = self._folder, self._state.step
        self._log.write_to(folder.log)
        if not self._resumed and (step or "created_with" not in self._embedding.recipe):
            published.keep_start(folder.checkpoint(step, published.path.suffix))
        info = self._plan.model.info
        folder.write_settings(
            {
                "lib_ti": __version__,
                "settings": to_mapping(self._config),
                "host": run_arguments(self._host),
                "model": {"name": info.name, "hash": info.hash},
                "vectors": self._embedding.count,
                "template": list(self._plan.inputs.template.lines),
                "pictures": [item.name for item in dataset.items],
                "held_out": [item.name for item in dataset.validation],
                "preview_seed": self._state.preview_seed,
            }
        )

    def _started(self, dataset: Dataset) -> RunStarted:
        return RunStarted(
            name=self._embedding.name,
            folder=self._folder.path,
            first_step=self._state.step,
            max_steps=self._config.max_steps,
            images=len(dataset.items),
            validation_images=len(dataset.validation),
            resumed=self._resumed,
        )

    def _finished(self, reason: str, trainer: Trainer, evaluator: Evaluator, saver: Saver) -> RunFinished:
        verdict = evaluator.verdict
        # Few checks of an interrupted run say nothing about what it would have gained.
        judged = verdict if verdict and (reason == "done" or verdict.checks > WINDOW) else None
        return RunFinished(
            step=trainer.step,
            reason=reason,
            embedding=self._plan.inputs.path,
            folder=self._folder.path,
            best_step=verdict.best_step if verdict else None,
            seconds=saver.seconds,
            steps=trainer.step - self._state.first_step,
            stopped_by=self._control.stopped_by if reason == "stopped" else "",
            remark=judged.no_gain or judged.overtraining if judged else "",
            restored_step=saver.restored_step,
        )


def _embedding(config: TrainConfig, plan: RunPlan) -> Embedding:
    """Return the embedding as the state has it, with the recipe of this run."""
    embedding, state, info = plan.inputs.embedding, plan.target.state, plan.model.info
    recipe = {
        **embedding.recipe,
        "run": state.identity.run,
        INITIAL_NORMS: {key: norms.tolist() for key, norms in state.initial_norms.items()},
        "settings": to_mapping(config),
        "trained_with": f"lib_ti {__version__}",
    }
    return replace(
        embedding.with_vectors(state.vectors, step=state.step),
        model_name=info.name,
        model_hash=info.hash,
        recipe=recipe,
    )
