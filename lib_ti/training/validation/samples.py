"""The samples that the validation loss is computed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib_ti.data.dataset import FEWEST_FOR_VALIDATION, Dataset, Item
from lib_ti.data.framing import framing_of
from lib_ti.data.latents import Latents
from lib_ti.data.templates import Template
from lib_ti.placeholders import without, without_name
from lib_ti.training.step.batch_source import plain_prompts
from lib_ti.training.validation.validation_loss import SAMPLES, Sample
from lib_ti.wording import counted

MOST_VALIDATED = 64
"""Images of a check, at most."""


@dataclass(frozen=True)
class RunSamples:
    """The samples of a run's checks.

    Parameters
    ----------
    main
        Of validation images where ``unseen``, else of training images.
    training
        Of training images, where ``main`` are not; empty otherwise.
    """

    main: Sequence[Sample]
    training: Sequence[Sample]
    unseen: bool

    @classmethod
    def of(cls, dataset: Dataset, encoded: Latents, template: Template, name: str) -> RunSamples:
        main = validation_samples(dataset, encoded, template, name)
        if not dataset.validation:
            return cls(main, (), unseen=False)
        return cls(main, _samples(dataset.items, SAMPLES, dataset, encoded, template, name), unseen=True)


def validation_samples(dataset: Dataset, encoded: Latents, template: Template, name: str) -> list[Sample]:
    """Return the validation images as samples, or where there are none some of the training images."""
    return _samples(dataset.validation or dataset.items, MOST_VALIDATED, dataset, encoded, template, name)


def without_keyword(samples: Sequence[Sample], name: str) -> list[Sample]:
    """Return the samples with prompts that lack the embedding ``name``."""
    return [replace(sample, prompt=without(without_name(sample.prompt, name))) for sample in samples]


def basis(dataset: Dataset) -> str:
    """Return a sentence on the images that the verdict rests on."""
    if dataset.validation:
        return f"The verdict rests on {counted(len(dataset.validation), 'validation image')}, which are not trained on."
    number = len(dataset.items)
    why = "Validation split is 0"
    if number < FEWEST_FOR_VALIDATION:
        why = f"{counted(number, 'image')} {'is' if number == 1 else 'are'} too few to hold any out"
    return (
        f"{why}, so the verdict rests on training images: it can say whether the embedding learns, but neither which "
        f"step is best for other images nor whether it is overtraining. {FEWEST_FOR_VALIDATION} images are enough."
    )


def _samples(
    items: Sequence[Item], most: int, dataset: Dataset, encoded: Latents, template: Template, name: str
) -> list[Sample]:
    """Return samples ordered by content, so that renaming files changes nothing."""
    chosen = sorted(items, key=lambda item: item.digest)[:most]
    prompts = plain_prompts(chosen, template.lines[:1], name)
    return [
        Sample(encoded[item].mean, encoded[item].weight, prompt, framing_of(item, dataset.rules.resize))
        for item, prompt in zip(chosen, prompts, strict=True)
    ]
