"""Where batches come from: pictures' latents, sampled as asked, with prompts drawn anew at each visit."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from lib_ti.config import TrainConfig
from lib_ti.data.batches import BatchPlan, PromptRules
from lib_ti.data.dataset import Dataset, Item
from lib_ti.data.framing import framing_of
from lib_ti.data.latents import Latents
from lib_ti.data.templates import Template, render
from lib_ti.host.model import Conditions
from lib_ti.training import diffusion
from lib_ti.training.batch import TrainingBatch
from lib_ti.training.evaluation import Sample

MOST_MEASURED = 64
"""Images that the validation loss looks at, at most."""


class BatchSource:
    """The batch of a pass, a pure function of its number (exact resume needs no random state)."""

    def __init__(self, found: Dataset, encoded: Latents, template: Template, name: str, config: TrainConfig) -> None:
        self._items, self._latents, self._config = found.items, encoded, config
        self._resize = found.rules.resize
        self._plan = BatchPlan(found.items, batch_size=config.batch_size, seed=config.seed)
        self._rules = PromptRules(template.lines, name, config.shuffle_tags, config.tag_dropout)
        self._once: dict[str, Tensor] = {}

    def __call__(self, index: int) -> TrainingBatch:
        batch = self._plan.batch(index)
        items = [self._items[place] for place in batch.items]
        stacked = self._latents.stack(items)
        sampling = self._config.latent_sampling
        if sampling == "once":
            latents = torch.stack([self._sampled_once(item) for item in items])
        elif sampling == "random":
            rng = diffusion.generator(self._config.seed, "latents", index)
            latents = stacked.mean + stacked.std * torch.randn(stacked.mean.shape, generator=rng)
        else:
            latents = stacked.mean
        prompts = list(self._plan.prompts(batch, self._rules))
        conditions = Conditions(prompts, [framing_of(item, self._resize) for item in items])
        return TrainingBatch(latents, stacked.weight, conditions, batch.epoch, batch.position)

    def _sampled_once(self, item: Item) -> Tensor:
        """One sample for the whole training, from the picture's content, so that it is the same in every run."""
        if item.digest not in self._once:
            one = self._latents[item]
            rng = diffusion.generator(self._config.seed, "latent", item.digest)
            self._once[item.digest] = one.mean + one.std * torch.randn(one.mean.shape, generator=rng)
        return self._once[item.digest]


def evaluation_samples(found: Dataset, encoded: Latents, template: Template, name: str) -> list[Sample]:
    """What the loss is measured on: the validation images, or where there are none some of the training images.

    Ordered by content, so that renamed files are measured as before.
    """
    items = sorted(found.held_out or found.items, key=lambda item: item.digest)[:MOST_MEASURED]
    prompts = plain_prompts(items, template.lines[:1], name)
    return [
        Sample(encoded[item].mean, encoded[item].weight, prompt, framing_of(item, found.rules.resize))
        for item, prompt in zip(items, prompts, strict=True)
    ]


def plain_prompts(items: Sequence[Item], lines: Sequence[str], name: str) -> list[str]:
    """One prompt for each picture, the template's lines in turn, with all tags in their order."""
    return [
        render(lines[place % len(lines)], name, item.caption, shuffle_tags=False, tag_dropout=0.0, rng=random.Random(0))
        for place, item in enumerate(items)
    ]
