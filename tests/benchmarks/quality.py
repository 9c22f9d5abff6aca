"""What training reaches, against the true word: three styles that have one, with the word hidden.

0 is the initial embedding, 1 what the true word reaches, both as denoising loss on pictures that training has not
seen, with fixed noise.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from lib_ti.config import TrainConfig
from lib_ti.data import latents
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.embedding.embedding import Embedding
from lib_ti.families.registry import FAMILIES
from lib_ti.host.model import Framing
from lib_ti.pocket import CHECKPOINTS
from lib_ti.pocket.sample_set import sample_set
from lib_ti.training.step.batch_source import plain_prompts
from lib_ti.training.validation.validation_loss import Sample, ValidationLoss
from tests.benchmarks.row import Row
from tests.benchmarks.studio import Studio, studio

STYLES = ("striped", "outlined", "framed")
UNSEEN = 64
CONFIG = TrainConfig(max_steps=500, batch_size=4, learning_rate="0.03", learning_rate_decay="cosine")
"""The demo's settings."""


def measure() -> Iterator[Row]:
    for family, style in itertools.product(CHECKPOINTS, STYLES):
        with tempfile.TemporaryDirectory() as folder, studio(Path(folder) / "train", style, family=family) as made:
            yield _row(made, FAMILIES[family].label, style, Path(folder) / "unseen")


def _row(made: Studio, label: str, style: str, folder: Path) -> Row:
    sample_set(folder, style, count=UNSEEN, seed=1)
    found = scan(folder, Rules(64, 64, validation_split=0.0))
    found, encoded = latents.encode(
        found, made.model, cache_folder=None, batch_size=8, progress=lambda done, total: None, stop=lambda: False
    )

    def loss_with(name: str, embedding: Embedding) -> float:
        prompts = plain_prompts(found.items, made.template.lines, name)
        samples = [
            Sample(encoded[item].mean, None, prompt, Framing.whole(*item.size))
            for item, prompt in zip(found.items, prompts, strict=True)
        ]
        return fmean(ValidationLoss(made.model, samples, seed=1)(embedding))

    name = made.embedding.name
    first, true = loss_with(name, made.embedding), loss_with(style, replace(made.embedding, name="unused-name"))
    trainer = made.trainer(CONFIG)
    trainer.run()
    reached = loss_with(name, trainer.live.snapshot())
    share = (first - reached) / (first - true)
    return Row(
        f"{label}, {style}, the word hidden: "
        f"loss {first:.4f} before, {reached:.4f} after, {true:.4f} with the true word",
        f"{100 * share:.0f} % of the way",
        "80 %",
        share >= 0.8,
    )
