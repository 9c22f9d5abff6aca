"""Where the benchmark of a graphics card runs: a device, a model of some size, and what a training on it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from PIL import Image
from safetensors.torch import save_file

from lib_ti.config import CreateConfig, TrainConfig
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.pocket import CHECKPOINT
from lib_ti.signals import Control, Event, RunFinished
from lib_ti.training.build import build_trainer
from lib_ti.training.create import create
from lib_ti.training.images import plot
from lib_ti.training.run import train
from lib_ti.training.step import diffusion
from lib_ti.training.step.batch import TrainingBatch
from lib_ti.training.trainer import Trainer
from tests.networks import full_networks, in_ldm_format
from tests.prompts import of_images

NAME = "my-style"
PROMPT = f"a painting of a house, art by {NAME}"


@dataclass(frozen=True)
class Result:
    """A line of the table. ``kept`` is None where nothing was promised."""

    what: str
    measured: str
    promised: str = ""
    kept: bool | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """Something to measure, and what the line in the table is called."""

    what: str
    run: Callable[[], Result]


@dataclass(frozen=True)
class Size:
    """Sides are in pixels, ``sides`` by family; ``steps`` are those of a timed training."""

    side: int
    large: int
    short_side: int
    steps: int
    sides: Mapping[str, int]
    full: bool


SIZES = {
    "full": Size(512, 768, 256, 20, {"sd1": 512, "sd2": 768, "sdxl": 1024}, full=True),
    "small": Size(64, 96, 64, 2, {"sd1": 64, "sd2": 64, "sdxl": 64}, full=False),
}
"""Stable Diffusion 1.5 with random weights, and the pocket model; of the other families likewise."""


@dataclass(frozen=True)
class Place:
    """``folder`` holds the checkpoint (see :func:`write_checkpoint`), and may be written to."""

    device: str
    size: Size
    checkpoint: Path
    folder: Path

    @property
    def on_card(self) -> bool:
        return torch.device(self.device).type == "cuda"

    @property
    def precisions(self) -> tuple[str, ...]:
        """Those that the device computes in, the one that is chosen by itself first."""
        if not self.on_card:
            return ("float32", "bfloat16")
        bfloat16 = torch.cuda.get_device_capability(self.device) >= (8, 0)
        return ("bfloat16", "float16", "float32") if bfloat16 else ("float16", "float32")

    @cached_property
    def host(self) -> EmbeddedHost:
        return self.fresh_host(self.device)

    def fresh_host(self, device: str) -> EmbeddedHost:
        """A host of its own on a device, with no model loaded yet."""
        return EmbeddedHost(self.checkpoint, embeddings_folder=self.folder / "embeddings", device=device)


def write_checkpoint(folder: Path, size: str) -> Path:
    """The checkpoint of a size; that of full size is made of random numbers, of 2 GB."""
    if size == "small":
        return CHECKPOINT
    path = folder / "full.safetensors"
    save_file({name: tensor.half() for name, tensor in in_ldm_format(full_networks()).items()}, path)
    return path


def trainer(model: EmbeddedModel, *, batch: int, side: int, **settings: Any) -> Trainer:
    """A trainer on random latents, for images of ``side`` pixels."""
    latent = side // VAE_SCALE_FACTOR

    def batches(index: int) -> TrainingBatch:
        latents = torch.randn(batch, 4, latent, latent, generator=diffusion.generator("benchmark", index))
        return TrainingBatch(latents, None, of_images([PROMPT] * batch, side), 0, index)

    config = TrainConfig(**{"max_steps": 1, "batch_size": batch, **settings})
    embedding = Embedding(NAME, model.initial_vectors("style", 4))
    return build_trainer(model, config, batches, embedding, first_step=0)


class Runs:
    """Whole runs by the product, on 4 images of ``side`` pixels, each embedding in a file of its own."""

    def __init__(self, place: Place, host: EmbeddedHost, side: int) -> None:
        self.host, self._folder = host, place.folder
        self._images = place.folder / f"images {side}"
        self._images.mkdir(exist_ok=True)
        for number in range(4):
            Image.new("RGB", (side, side), (60 * number, 120, 200)).save(self._images / f"{number}.png")
        self._config = TrainConfig(
            dataset=str(self._images), template="style", width=side, height=side, save_image_every=0,
            save_embedding_every=0, validate_every=0, preview_prompt=f"a house, art by {NAME}", preview_steps=4,
            preview_seed=1, cache_latents=False, log_directory=str(place.folder / "runs"),
        )  # fmt: skip

    def create(self, name: str) -> None:
        create(self.host, CreateConfig(name=name, text="style", vectors=4))

    def train(
        self,
        name: str,
        listen: Callable[[Event], None] = lambda event: None,
        control: Control | None = None,
        **changes: Any,
    ) -> RunFinished:
        """Train the embedding of that name, without its loss curve, which takes longer than the steps."""
        with patch.object(plot, "loss_plot"):
            return train(self.host, replace(self._config, name=name, **changes), listen, control or Control())

    def embedding(self, name: str) -> Embedding:
        return files.load(self._path(name))

    def _path(self, name: str) -> Path:
        return self.host.folders.embeddings / f"{name}.safetensors"
