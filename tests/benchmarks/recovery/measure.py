"""One run of the benchmark: a concept learned in one way, by the engine's own trainer."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lib_ti.config import TrainConfig, to_mapping
from lib_ti.data.templates import Template, find_template
from lib_ti.embedding.embedding import Embedding
from lib_ti.training.build import build_trainer
from lib_ti.training.step.batch_source import BatchSource
from lib_ti.training.validation.validation_loss import ValidationLoss
from tests.benchmarks.recovery.concepts import Concept
from tests.benchmarks.recovery.generate import judge
from tests.benchmarks.recovery.monitor import Check, Losses, Monitor, due_steps
from tests.benchmarks.recovery.place import KEYWORD, VALIDATION, ImageSet, Place, repeated
from tests.benchmarks.recovery.records import Record
from tests.benchmarks.recovery.variants import Variant

GENERATED = 16
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
    generated
        Images generated at the end.
    """

    variant: Variant
    concept: Concept
    images: int
    seed: int
    steps: int | None = None
    samples: bool = False
    generated: int = GENERATED


def measure(place: Place, run: Run, family: str) -> tuple[Record, list[Check]]:
    """Train and measure one run."""
    concept, config = run.concept, run.variant.config(run.seed, run.steps)
    training = place.images(concept, "training", run.images, run.seed)
    template = find_template(concept.training_template or concept.template, ())
    embedding = Embedding(KEYWORD, place.model.initial_vectors(concept.start, run.variant.vectors))
    batches = BatchSource(training.dataset, training.encoded, template, KEYWORD, config)
    trainer = build_trainer(place.model, config, batches, embedding, first_step=0)
    monitor = Monitor(_losses(place, run, training, template), due_steps(config.max_steps))
    with run.variant.adapt(trainer, place.model, monitor):
        trainer.run([monitor])
    neutral, true = place.goal(concept)
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
        generated=judge(place, concept, trainer.live.snapshot(), training, run.generated),
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
    """Return the short hash of the commit that is measured; empty outside a checkout."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.check_output(command, cwd=Path(__file__).parent, text=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
