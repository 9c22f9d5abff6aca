"""Sets of drawings kept in a working folder as arrays, drawn once on all cores."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lib_ti.pocket.world import Spec, draw, training_specs


def as_array(spec: Spec) -> NDArray[np.uint8]:
    """The drawing as (64, 64, 3) uint8."""
    return np.asarray(draw(spec))


def drawings(work: Path, name: str, count: int, seed: int, combined: float = 0.18) -> NDArray[np.uint8]:
    """Drawings of `training_specs(count, seed, combined)`, (count, 64, 64, 3) uint8, cached as `<work>/<name>.npy`."""
    path = work / f"{name}.npy"
    if not path.exists():
        with ProcessPoolExecutor() as pool:
            images = np.stack(list(pool.map(as_array, training_specs(count, seed, combined), chunksize=200)))
        partial = path.with_suffix(".partial.npy")
        np.save(partial, images)
        partial.replace(path)
    return np.load(path, mmap_mode="r")
