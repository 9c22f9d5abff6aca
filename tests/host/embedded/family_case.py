"""A small checkpoint of a family, and what its tests ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import Family, Prediction
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.networks import Networks
from lib_ti.host.model import Conditions, ImageRequest
from tests.checkpoints import SIZE

CAT = "a photo of a cat"
REQUEST = ImageRequest("a my-style cat", steps=3, width=SIZE, height=SIZE, seed=7)


@dataclass(frozen=True)
class Case:
    """A small checkpoint, its networks as the libraries build them, and the host that has loaded it."""

    family: Family
    prediction: Prediction
    path: Path
    networks: Networks
    host: EmbeddedHost


def embedding_of(model: EmbeddedModel, name: str = "my-style", count: int = 3, scale: float = 0.02) -> Embedding:
    draw = torch.Generator().manual_seed(count)
    vectors = {
        key: (torch.randn(count, width, generator=draw) * scale).requires_grad_()
        for key, width in model.info.widths.items()
    }
    return Embedding(name, vectors)


def whole(prompts: list[str]) -> Conditions:
    return Conditions.whole(prompts, width=SIZE, height=SIZE)
