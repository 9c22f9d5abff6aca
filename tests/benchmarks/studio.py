"""A pocket model, some of its pictures, and everything a trainer needs, without a run folder around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lib_ti.config import TrainConfig
from lib_ti.data import dataset, latents
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.data.templates import Template, find_template
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.pocket import CHECKPOINTS
from lib_ti.pocket.sample_set import sample_set
from lib_ti.training.build import build_trainer
from lib_ti.training.step.batch_source import BatchSource
from lib_ti.training.trainer import Trainer


@dataclass
class Studio:
    model: EmbeddedModel
    found: dataset.Dataset
    encoded: latents.Latents
    template: Template
    embedding: Embedding

    def batches(self, config: TrainConfig) -> BatchSource:
        return BatchSource(self.found, self.encoded, self.template, self.embedding.name, config)

    def trainer(self, config: TrainConfig) -> Trainer:
        return build_trainer(self.model, config, self.batches(config), self.embedding, first_step=0)


@contextmanager
def studio(
    folder: Path, style: str, *, family: str = "sd1", vectors: int = 4, pictures: int = 30, held_out: float = 0.0
) -> Iterator[Studio]:
    sample_set(folder, style, count=pictures)
    host = EmbeddedHost(CHECKPOINTS[family], embeddings_folder=folder / "embeddings")
    with host.models.session(SessionOptions()) as model:
        found = scan(folder, Rules(64, 64, validation_split=held_out))
        found, encoded = latents.encode(
            found, model, cache_folder=None, batch_size=8, progress=lambda done, total: None, stop=lambda: False
        )
        template = find_template("style_filewords", ())
        embedding = Embedding("my-style", model.initial_vectors("style", vectors))
        yield Studio(model, found, encoded, template, embedding)
