"""Measures a run more often than its own validation would, and on 64 images that nothing else sees."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Set
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from lib_ti.config import TrainConfig
from lib_ti.data import latents
from lib_ti.data.dataset import Dataset, Rules
from lib_ti.data.latents import Latents
from lib_ti.data.scan import scan
from lib_ti.data.templates import Template, find_template
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.model import Framing
from lib_ti.pocket.captions import caption
from lib_ti.pocket.sample_set import sample_set
from lib_ti.pocket.world import SHAPES, draw, random_spec
from lib_ti.training.build import build_trainer
from lib_ti.training.step.batch_source import BatchSource, plain_prompts
from lib_ti.training.trainer import Callback, Trainer
from lib_ti.training.validation.history import rounded
from lib_ti.training.validation.samples import sample_count
from lib_ti.training.validation.validation_loss import Sample, ValidationLoss
from tests.benchmarks.verdict.kinds import Run

NAME = "my-style"
HELD_OUT, UNSEEN = 8, 64


@dataclass
class _Images:
    dataset: Dataset
    encoded: Latents

    def loss(self, model: EmbeddedModel, template: Template, name: str, count: int, seed: int) -> ValidationLoss:
        items = sorted(self.dataset.items, key=lambda item: item.digest)
        prompts = plain_prompts(items, template.lines[:1], name)
        samples = [
            Sample(self.encoded[item].mean, None, prompt, Framing.whole(*item.size))
            for item, prompt in zip(items, prompts, strict=True)
        ]
        return ValidationLoss(model, samples, seed=seed, count=count)


class _Monitor(Callback):
    """Measures after given steps the samples of validation images, and the truth; and the CPU time of steps and checks.

    Parameters
    ----------
    steps
        After which to measure.
    """

    def __init__(self, validation: ValidationLoss, truth: ValidationLoss, steps: Set[int]) -> None:
        self._validation, self._truth, self._steps = validation, truth, steps
        self.checks: list[dict[str, Any]] = []
        self.step_seconds, self.check_seconds, self._since = 0.0, 0.0, 0.0

    def on_run_start(self, trainer: Trainer) -> None:
        self._check(trainer)
        self._since = time.process_time()

    def on_step_end(self, trainer: Trainer) -> None:
        if trainer.step in self._steps:
            self.step_seconds += time.process_time() - self._since
            self._check(trainer)
            self._since = time.process_time()

    def _check(self, trainer: Trainer) -> None:
        began = time.process_time()
        validation = [rounded(value) for value in self._validation(trainer.live)]
        self.check_seconds += time.process_time() - began
        truth = rounded(fmean(self._truth(trainer.live)))
        self.checks.append({"step": trainer.step, "validation": validation, "truth": truth})


def measure(model: EmbeddedModel, run: Run) -> dict[str, Any]:
    """Train, and return the record of a run."""
    kind, shape = run.settings, run.concept in SHAPES
    template = find_template("subject_filewords" if shape else "style_filewords", ())
    config = TrainConfig(name=NAME, seed=run.seed, **kind.settings)  # type: ignore[arg-type]
    start = Embedding(NAME, model.initial_vectors("shape" if shape else "style", kind.vectors))
    with tempfile.TemporaryDirectory() as folder:
        sets = ((kind.images, 100, kind.captions), (HELD_OUT, 200, kind.captions), (UNSEEN, 300, True))
        training, held_out, unseen = (
            _images(model, Path(folder) / str(number), run.concept, count, run.seed + number, captions=captions)
            for count, number, captions in sets
        )
        batches = BatchSource(training.dataset, training.encoded, template, NAME, config)
    images = config.max_steps * config.batch_size
    monitor = _Monitor(
        held_out.loss(model, template, NAME, sample_count(images), run.seed),
        unseen.loss(model, template, NAME, UNSEEN, 1),
        kind.measured,
    )
    word = unseen.loss(model, template, run.concept.replace("+", " "), UNSEEN, 1)
    true = rounded(fmean(word(replace(start, name="unused-name"))))
    build_trainer(model, config, batches, start, first_step=0).run([monitor])
    return {
        "key": run.key,
        "kind": run.kind,
        "batch": config.batch_size,
        "true": true,
        "step_seconds": round(monitor.step_seconds / config.max_steps, 5),
        "check_seconds": round(monitor.check_seconds / len(monitor.checks), 5),
        "checks": monitor.checks,
    }


def _images(model: EmbeddedModel, folder: Path, concept: str, count: int, seed: int, *, captions: bool) -> _Images:
    folder.mkdir()
    if concept in SHAPES:
        chance = random.Random(f"set {concept} {seed}")
        for number in range(1, count + 1):
            spec = replace(random_spec(chance, "flat"), shape=concept)
            text = caption(spec, number, complete=True, name_style=False).replace(concept, "shape")
            draw(spec).save(folder / f"{number:02d}.png")
            (folder / f"{number:02d}.txt").write_text(text + "\n")
    else:
        sample_set(folder, concept, count=count, seed=seed)
    if not captions:
        for path in folder.glob("*.txt"):
            path.write_text("")
    found = scan(folder, Rules(64, 64, validation_split=0.0))
    found, encoded = latents.encode(
        found, model, cache_folder=None, batch_size=8, progress=lambda done, total: None, stop=lambda: False
    )
    return _Images(found, encoded)
