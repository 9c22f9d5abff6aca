"""The images of a concept: those to train on, those of a validation split, and 64 to measure the gap on."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from statistics import fmean

from lib_ti.data import latents
from lib_ti.data.dataset import Dataset, Rules
from lib_ti.data.latents import Latents
from lib_ti.data.scan import scan
from lib_ti.data.templates import Template, find_template
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.model import Framing
from lib_ti.pocket.captions import caption
from lib_ti.pocket.world import WORDED_STYLES, Spec, draw, random_spec
from lib_ti.training.step.batch_source import plain_prompts
from lib_ti.training.validation.validation_loss import Sample, ValidationLoss
from tests.benchmarks.recovery.concepts import Concept

UNSEEN = 64
VALIDATION = 8
KEYWORD = "my-concept"
UNUSED = "unused-name"


@dataclass(frozen=True)
class ImageSet:
    """Encoded images of a concept with their specs, in the order of the dataset."""

    dataset: Dataset
    encoded: Latents
    specs: tuple[Spec, ...]

    def samples(self, template: Template, name: str) -> list[Sample]:
        """Return the images as samples, ``name`` in the place of the keyword."""
        items = self.dataset.items
        prompts = plain_prompts(items, template.lines, name)
        return [
            Sample(self.encoded[item].mean, None, prompt, Framing.whole(*item.size))
            for item, prompt in zip(items, prompts, strict=True)
        ]


class Place:
    """Makes and keeps the images of concepts, and what each has to reach.

    Parameters
    ----------
    folder
        For the images; an empty one.
    """

    def __init__(self, model: EmbeddedModel, folder: Path, unseen: int = UNSEEN) -> None:
        self.model, self._folder, self._unseen = model, folder, unseen

    @lru_cache(maxsize=256)  # noqa: B019  one object lives as long as the program
    def images(self, concept: Concept, split: str, count: int, seed: int) -> ImageSet:
        """Write, scan and encode images of one split, "training", "validation" or "unseen"."""
        training = split == "training"
        chance = random.Random(f"recovery {concept.fixed} {split} {seed}")
        specs = [
            replace(
                random_spec(chance, chance.choice(WORDED_STYLES)),
                **concept.fixed,
                **(concept.shared if training else {}),
            )
            for _ in range(count)
        ]
        folder = self._folder / f"{concept.name} {split} {count} {seed}"
        folder.mkdir()
        for number, spec in enumerate(specs):
            draw(spec).save(folder / f"{number:03d}.png")
            (folder / f"{number:03d}.txt").write_text(_caption(concept, spec, number, training=training))
        found = scan(folder, Rules(64, 64, validation_split=0.0))
        found, encoded = latents.encode(
            found, self.model, cache_folder=None, batch_size=8, progress=lambda done, total: None, stop=lambda: False
        )
        return ImageSet(found, encoded, tuple(specs[int(Path(item.name).stem)] for item in found.items))

    def unseen(self, concept: Concept) -> ImageSet:
        """Return the images that gaps are measured on: the same for all runs of a concept."""
        return self.images(concept, "unseen", self._unseen, 0)

    @lru_cache(maxsize=64)  # noqa: B019
    def gap_loss(self, concept: Concept) -> ValidationLoss:
        """Return the loss on unseen images with the keyword in the prompts, with fixed noise."""
        return self._loss(concept, KEYWORD)

    @lru_cache(maxsize=64)  # noqa: B019
    def goal(self, concept: Concept) -> tuple[float, float]:
        """Return the loss of the neutral word as an embedding, which is gap 0, and of the true words, gap 1."""
        neutral = self.model.initial_vectors(concept.neutral, 4)
        start = fmean(self.gap_loss(concept)(Embedding(KEYWORD, neutral)))
        return start, fmean(self._loss(concept, concept.words)(Embedding(UNUSED, neutral)))

    def _loss(self, concept: Concept, name: str) -> ValidationLoss:
        samples = self.unseen(concept).samples(find_template(concept.template, ()), name)
        return ValidationLoss(self.model, samples, seed=1)


def repeated(samples: Sequence[Sample], count: int = 32) -> list[Sample]:
    """Return ``count`` samples, those given in turn."""
    return list(itertools.islice(itertools.cycle(samples), count))


def _caption(concept: Concept, spec: Spec, number: int, *, training: bool) -> str:
    """Return a caption that names every attribute but the hidden ones."""
    named = training and concept.named
    name_style = named or "style" not in concept.fixed
    text = caption(spec, number, complete=True, name_style=name_style)
    if "shape" in concept.fixed and not named:
        text = text.replace(spec.shape, "thing")
    for value in concept.shared.values() if training else ():
        for said in (f", {value} background", f" on a {value} background"):
            text = text.replace(said, "")
    return text + "\n"
