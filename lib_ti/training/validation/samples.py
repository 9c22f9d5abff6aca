"""The samples that the validation loss is computed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib_ti.data.dataset import FEWEST_FOR_VALIDATION, Dataset
from lib_ti.data.framing import framing_of
from lib_ti.data.latents import Latents
from lib_ti.data.templates import Template
from lib_ti.placeholders import without, without_name
from lib_ti.training.step.batch_source import plain_prompts
from lib_ti.training.validation.validation_loss import Sample
from lib_ti.wording import counted

MOST_VALIDATED = 64
"""Images of a check, at most."""
FEWEST_SAMPLES, MOST_SAMPLES = 8, 16
"""Samples of a check in a short and in a long run."""
LONG = 1600
"""Images trained on in a long run, at least: in a shorter one there are more checks for its steps."""


@dataclass(frozen=True)
class RunSamples:
    """The samples of a run's checks, one an image: of validation images where ``unseen``, else of training images."""

    samples: Sequence[Sample]
    unseen: bool

    @classmethod
    def of(cls, dataset: Dataset, encoded: Latents, template: Template, name: str) -> RunSamples:
        return cls(validation_samples(dataset, encoded, template, name), unseen=bool(dataset.validation))


def validation_samples(dataset: Dataset, encoded: Latents, template: Template, name: str) -> list[Sample]:
    """Return the validation images as samples, or where there are none some of the training images.

    Their order is that of their content, so that renaming files changes nothing.
    """
    items = sorted(dataset.validation or dataset.items, key=lambda item: item.digest)[:MOST_VALIDATED]
    prompts = plain_prompts(items, template.lines[:1], name)
    return [
        Sample(encoded[item].mean, encoded[item].weight, prompt, framing_of(item, dataset.rules.resize))
        for item, prompt in zip(items, prompts, strict=True)
    ]


def without_keyword(samples: Sequence[Sample], name: str) -> list[Sample]:
    """Return the samples with prompts that lack the embedding ``name``."""
    return [replace(sample, prompt=without(without_name(sample.prompt, name))) for sample in samples]


def sample_count(images: int) -> int:
    """Return how many samples a check has in a run that trains on so many images.

    Eight show as well as 32 how far a run is, since they are the same each time: what differs between images and
    timesteps cancels. In a long run there are more checks to choose the best of, and so more chance in that choice.
    """
    return FEWEST_SAMPLES if images < LONG else MOST_SAMPLES


def basis(dataset: Dataset) -> str:
    """Return a sentence on the images that the verdict rests on."""
    if dataset.validation:
        number = len(dataset.validation)
        some = f" A check of a short run uses {FEWEST_SAMPLES} of them, one of a long run up to {MOST_SAMPLES}."
        return (
            f"The verdict rests on {counted(number, 'validation image')}, which are not trained on."
            f"{some if number > FEWEST_SAMPLES else ''}"
        )
    number = len(dataset.items)
    why = "Validation split is 0"
    if number < FEWEST_FOR_VALIDATION:
        why = f"{counted(number, 'image')} {'is' if number == 1 else 'are'} too few to hold any out"
    return (
        f"{why}, so the verdict rests on training images: it can say whether the embedding learns, but neither which "
        f"step is best for other images nor whether it is overtraining. {FEWEST_FOR_VALIDATION} images are enough."
    )
