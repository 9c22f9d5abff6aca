"""The samples that the validation loss is computed on."""

from __future__ import annotations

from lib_ti.data.dataset import Dataset
from lib_ti.data.framing import framing_of
from lib_ti.data.latents import Latents
from lib_ti.data.templates import Template
from lib_ti.training.step.batch_source import plain_prompts
from lib_ti.training.validation.validation_loss import Sample

MOST_VALIDATED = 64
"""Images of a check, at most."""


def validation_samples(dataset: Dataset, encoded: Latents, template: Template, name: str) -> list[Sample]:
    """Return the validation images as samples, or where there are none some of the training images.

    Ordered by content, so that renaming files changes nothing.
    """
    items = sorted(dataset.validation or dataset.items, key=lambda item: item.digest)[:MOST_VALIDATED]
    prompts = plain_prompts(items, template.lines[:1], name)
    return [
        Sample(encoded[item].mean, encoded[item].weight, prompt, framing_of(item, dataset.rules.resize))
        for item, prompt in zip(items, prompts, strict=True)
    ]
