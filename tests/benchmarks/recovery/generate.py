"""Images generated with the keyword: is the concept in them, are the other words obeyed, are they copies."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import torch
from PIL import Image

from lib_ti.data.templates import find_template
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.model import ImageRequest
from lib_ti.pocket import reader
from lib_ti.pocket.world import Spec, draw
from lib_ti.training.step.batch_source import plain_prompts
from tests.benchmarks.recovery.concepts import Concept
from tests.benchmarks.recovery.place import KEYWORD, ImageSet, Place
from tests.benchmarks.recovery.records import Generated

READ = ("shape", "colour", "background", "style")
"""Attributes that the reader reads and prompts name."""


def judge(place: Place, concept: Concept, embedding: Embedding, training: ImageSet, count: int) -> Generated:
    """Generate images for the captions of ``count`` unseen ones, and judge them.

    DDIM with 8 steps and CFG scale 4, as the recipes were measured.
    """
    unseen = place.unseen(concept)
    specs, items = unseen.specs[:count], unseen.dataset.items[:count]
    prompts = plain_prompts(items, find_template(concept.template, ()).lines, KEYWORD)
    requests = [
        ImageRequest(prompt, steps=8, sampler="DDIM", cfg_scale=4, seed=number, width=64, height=64, literal=True)
        for number, prompt in enumerate(prompts)
    ]
    images = place.model.generate_many(requests, [embedding])
    readings = reader.read(images)
    right = [
        {name: getattr(reading, name) == getattr(spec, name) for name in READ}
        for reading, spec in zip(readings, specs, strict=True)
    ]
    others = [name for name in READ if name not in concept.fixed]
    return Generated(
        count=count,
        concept=round(fmean(all(one[name] for name in concept.fixed) for one in right), 4),
        others=round(fmean(one[name] for one in right for name in others), 4),
        copies=round(_copies(images, training.specs, unseen.specs[-len(training.specs) :]), 4),
    )


def _copies(images: list[Image.Image], training: tuple[Spec, ...], others: tuple[Spec, ...]) -> float:
    """Return the share of images whose nearest training image is nearer than the nearest of ``others``, by RMSE."""
    pixels = _pixels(images)
    nearest = [
        torch.cdist(pixels, _pixels([draw(spec) for spec in specs])).min(dim=1).values for specs in (training, others)
    ]
    return float((nearest[0] < nearest[1]).float().mean())


def _pixels(images: list[Image.Image]) -> torch.Tensor:
    return torch.from_numpy(np.stack([np.asarray(image, dtype=np.float32).ravel() for image in images]))
