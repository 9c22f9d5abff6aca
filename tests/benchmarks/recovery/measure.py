"""One run of the benchmark: a concept learned in one way, by the engine's own trainer."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import lib_ti
from lib_ti.config import TrainConfig, to_mapping
from lib_ti.data.templates import Template, find_template
from lib_ti.embedding.embedding import Embedding
from lib_ti.training.build import build_trainer
from lib_ti.training.step.batch_source import BatchSource
from lib_ti.training.validation.validation_loss import ValidationLoss
from tests.benchmarks.recovery.concepts import Concept
from tests.benchmarks.recovery.generate import judge
from tests.benchmarks.recovery.monitor import Check, Losses, Monitor, due_steps, mean_norm
from tests.benchmarks.recovery.place import KEYWORD, VALIDATION, ImageSet, Place, repeated
from tests.benchmarks.recovery.records import Key, Record
from tests.benchmarks.recovery.summary import GOAL
from tests.benchmarks.recovery.variants import Variant

GENERATED = 8
"""Images generated at the end of a run."""


@dataclass(frozen=True)
class Run:
    """What is measured.

    Parameters
    ----------
    steps
        Replaces the variant's own number.
    samples
        Whether checks have the losses of single samples, on which rules for a verdict can be judged.
    until_goal
        Whether the run ends when it is at 0.8, and no image is generated.
    generated
        Images generated at the end.
    """

    variant: Variant
    concept: Concept
    images: int
    seed: int
    steps: int | None = None
    samples: bool = False
    until_goal: bool = False
    generated: int = GENERATED

    def key(self, family: str) -> Key:
        """Return the key of its record."""
        return family, self.variant.name, self.concept.name, self.images, self.seed


def measure(place: Place, run: Run, family: str) -> tuple[Record, list[Check]]:
    """Train and measure one run."""
    concept, config = run.concept, run.variant.config(run.seed, run.steps)
    training = place.images(concept, "training", run.images, run.seed)
    template = find_template(concept.training_template or concept.template, ())
    embedding = Embedding(KEYWORD, place.model.initial_vectors(concept.start, run.variant.vectors))
    batches = BatchSource(training.dataset, training.encoded, template, KEYWORD, config)
    trainer = build_trainer(place.model, config, batches, embedding, first_step=0)
    neutral, true = place.goal(concept)
    goal = neutral - GOAL * (neutral - true)
    losses, first_norm = _losses(place, run, training, template), mean_norm(embedding.vectors)
    monitor = Monitor(losses, due_steps(config.max_steps), goal=goal, first_norm=first_norm)
    with run.variant.adapt(trainer, place.model, monitor):
        trainer.run([monitor], lambda: run.until_goal and monitor.reached)
    checks = monitor.checks
    record = Record(
        family=family,
        variant=run.variant.name,
        concept=concept.name,
        images=run.images,
        seed=run.seed,
        kind=concept.kind,
        batch=config.batch_size * config.gradient_accumulation,
        settings={**_changed(config), "about": run.variant.about, "vectors": run.variant.vectors},
        commit=_commit(),
        neutral=round(neutral, 7),
        true=round(true, 7),
        steps=[check.step for check in checks],
        losses=[round(check.loss, 7) for check in checks],
        norms=[round(check.norm, 3) for check in checks],
        seconds=[round(check.seconds, 2) for check in checks],
        generated=judge(place, concept, trainer.live.snapshot(), training, run.generated)
        if not run.until_goal
        else None,
    )
    return record, checks


def _losses(place: Place, run: Run, training: ImageSet, template: Template) -> Losses:
    gap = place.gap_loss(run.concept)
    if not run.samples and not run.variant.samples:
        return Losses(gap)
    validation = place.images(run.concept, "validation", VALIDATION, run.seed)
    of_validation, of_training = (
        ValidationLoss(place.model, repeated(images.samples(template, KEYWORD)), seed=0)
        for images in (validation, training)
    )
    return Losses(gap, of_validation, of_training)


def _changed(config: TrainConfig) -> dict[str, object]:
    """Return the settings that are not the defaults."""
    return {name: value for name, value in to_mapping(config).items() if value != to_mapping(TrainConfig())[name]}


@cache
def _commit() -> str:
    """Return the short hash of the commit that last changed the engine; empty outside a checkout."""
    command = ["git", "log", "-1", "--format=%h", "--", str(Path(lib_ti.__file__).parent)]
    try:
        return subprocess.check_output(command, cwd=Path(__file__).parent, text=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
