"""Whether the files of a run fit on the disk, by a rough estimate."""

from __future__ import annotations

import shutil
from pathlib import Path

from lib_ti.config import TrainConfig, preview_prompts
from lib_ti.data.dataset import Dataset
from lib_ti.embedding.embedding import Embedding
from lib_ti.training.checks.findings import Finding
from lib_ti.wording import file_size

_IMAGE_BYTES = 2.0
"""Bytes a pixel of a preview takes as PNG, about."""
_WITH_CARD = 2.5
"""Size of a preview and its card, in units of the preview alone."""


def check_disk_space(config: TrainConfig, dataset: Dataset, size: tuple[int, int], embedding: Embedding) -> Finding:
    """Compare the space for previews, cards, checkpoints and encoded images with what is free; ``size`` in pixels."""
    needed = _bytes_needed(config, dataset, size, embedding)
    existing = Path(config.log_directory).absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    said = f"The run writes about {file_size(needed)} into {config.log_directory}, and {file_size(free)} are free"
    if needed > free:
        return Finding("warning", f"{said}: save images and checkpoints less often, or choose another Log directory.")
    return Finding("good", f"{said}.")


def _bytes_needed(config: TrainConfig, dataset: Dataset, size: tuple[int, int], embedding: Embedding) -> float:
    steps = config.max_steps - embedding.step
    width, height = config.preview_width or size[0], config.preview_height or size[1]
    previews = steps // config.save_image_every + 1 if config.save_image_every else 0
    others = max(0, len(preview_prompts(config.preview_prompt)) - 1)
    preview = width * height * _IMAGE_BYTES * (others + (_WITH_CARD if config.png_chunks else 1))
    checkpoints = steps // config.save_embedding_every + 2 if config.save_embedding_every else 2
    checkpoint = 4 * sum(tensor.numel() for tensor in embedding.vectors.values())
    latents = len(dataset.all_items) * size[0] * size[1] / 64 * 4 * 4 * 2 if config.cache_latents else 0
    return previews * preview + checkpoints * checkpoint + latents
