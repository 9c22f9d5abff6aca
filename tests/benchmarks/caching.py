"""Encoding the pictures, against the same work done plainly."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from lib_ti.data import dataset, latents
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINT
from tests.benchmarks.row import Row

SIZE = (1632, 1224)
"""Two megapixels."""
TRAINED_AT = 64


def measure(count: int = int(os.environ.get("TI_BENCH_PICTURES", "200"))) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _photographs(folder, count)
        host = EmbeddedHost(CHECKPOINT, embeddings_folder=folder / "embeddings")
        with host.models.session(SessionOptions()) as model:
            plain = _plainly(folder)
            pixels = torch.zeros(4, 3, TRAINED_AT, TRAINED_AT)
            model.encode_images(pixels)
            start = time.perf_counter()
            for _ in range(count // 4):
                model.encode_images(pixels)
            encoder = time.perf_counter() - start
            found = scan(folder, Rules(TRAINED_AT, TRAINED_AT))
            ours = _ours(found, model, folder / ".latents")
            again = _ours(found, model, folder / ".latents")
    ratio = ours / (plain + encoder)
    yield Row(
        f"caching {count} images of 2 megapixels ({ours:.1f} s), in units of plain decoding, resizing and encoding",
        f"{ratio:.2f}",
        "1.2",
        ratio < 1.2,
    )
    yield Row("the same a second time", f"{again / ours:.3f} of it", "0.1", again / ours < 0.1)


def _photographs(folder: Path, count: int) -> None:
    """Pictures with the size and the entropy of photographs: smooth noise in several scales."""
    rng = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)).resize(
            SIZE, Image.Resampling.BICUBIC
        )
        grain = rng.normal(0, 6, (SIZE[1], SIZE[0], 1))
        picture = np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{number:04}.jpg", quality=88)


def _plainly(folder: Path) -> float:
    start = time.perf_counter()
    for path in sorted(folder.glob("*.jpg")):
        with Image.open(path) as picture:
            ImageOps.fit(picture.convert("RGB"), (TRAINED_AT, TRAINED_AT), Image.Resampling.LANCZOS)
    return time.perf_counter() - start


def _ours(found: dataset.Dataset, model: object, cache: Path) -> float:
    start = time.perf_counter()
    latents.encode(
        found,
        model,
        cache_folder=cache,
        batch_size=4,
        progress=lambda done, total: None,
        stop=lambda: False,  # type: ignore[arg-type]
    )
    return time.perf_counter() - start
