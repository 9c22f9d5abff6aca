"""The source of micro-batches: latents sampled as the settings say, with prompts sampled at each visit."""

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
from lib_ti.training.step import diffusion
from lib_ti.training.step.batch import TrainingBatch


class BatchSource:
    """Returns the micro-batch of an index: a pure function, so that an exact resume needs no random state."""

    def __init__(self, dataset: Dataset, encoded: Latents, template: Template, name: str, config: TrainConfig) -> None:
        self._items, self._latents, self._config = dataset.items, encoded, config
        self._resize = dataset.rules.resize
        self._plan = BatchPlan(dataset.items, batch_size=config.batch_size, seed=config.seed)
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
        """Return one sample for the whole run, seeded by the image's content, so that it is the same in every run."""
        if item.digest not in self._once:
            one = self._latents[item]
            rng = diffusion.generator(self._config.seed, "latent", item.digest)
            self._once[item.digest] = one.mean + one.std * torch.randn(one.mean.shape, generator=rng)
        return self._once[item.digest]


def plain_prompts(items: Sequence[Item], lines: Sequence[str], name: str) -> list[str]:
    """Return a prompt for each image, the template's lines in turn, with all tags in their order."""
    return [
        render(lines[place % len(lines)], name, item.caption, shuffle_tags=False, tag_dropout=0.0, rng=random.Random(0))
        for place, item in enumerate(items)
    ]
