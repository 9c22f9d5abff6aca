"""How long a checkpoint of full size takes to load, in units of reading its file: for the first time, when it is
hashed too, and again, both without the system's cache of files (on Linux) and with it.

``TI_BENCH_LOADING=sdxl`` measures SDXL instead, whose file has 7 GB and which takes as much memory.
"""

from __future__ import annotations

import json
import math
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from tests.benchmarks.row import Row
from tests.host.embedded.test_full_size import shapes_of
from tests.networks import full_shapes

ROUNDS = 3
PROMISED = 1.3
_BLOCK = 1 << 24
_READ = """
with open(path, "rb", buffering=0) as file:
    buffer = bytearray(1 << 22)
    while file.readinto(buffer):
        pass
"""
_LOAD = """
with EmbeddedHost(Path(path), embeddings_folder=Path(path).parent, device="cpu").models.session(options):
    pass
"""
_PROGRAM = """
import sys, time
from pathlib import Path
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded import model, networks
from lib_ti.host.embedded.host import EmbeddedHost
model.EmbeddedModel, networks.build  # loaded when they are first used
path, options = sys.argv[1], SessionOptions(sys.argv[2])
start = time.perf_counter()
{work}
print(time.perf_counter() - start)
"""


@dataclass(frozen=True)
class _Times:
    """Seconds of one round."""

    read: float
    first: float
    again: float


def measure() -> Iterator[Row]:
    if os.environ.get("TI_BENCH_LOADING") == "sdxl":
        what, shapes, precision = "SDXL in bfloat16", shapes_of("sdxl"), "bfloat16"
    else:
        what, shapes, precision = "SD 1.5 in float32", full_shapes(), "float32"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        _write(path, shapes)
        size = f"{path.stat().st_size / 1e9:.1f} GB"
        for cached in (False, True):
            # The least of each counts: other programs only ever add to a time.
            rounds = [_round(path, precision, cached=cached) for _ in range(ROUNDS)]
            read, first, again = (min(getattr(one, name) for one in rounds) for name in ("read", "first", "again"))
            where = f"{what}, {size}, {'in' if cached else 'not in'} the system's cache, read in {read:.1f} s"
            promised = "" if cached else f"{PROMISED}"
            for when, load in (("first time, hashed", first), ("again", again)):
                kept = cached or load <= PROMISED * read
                yield Row(f"loading {where}: {when} ({load:.1f} s)", f"{load / read:.2f}", promised, kept)


def _round(path: Path, precision: str, *, cached: bool) -> _Times:
    with tempfile.TemporaryDirectory() as caches:
        # Where hashes are remembered.
        environment = {**os.environ, "XDG_CACHE_HOME": caches, "LOCALAPPDATA": caches, "HOME": caches}
        if cached:
            _seconds(_READ, path, precision, environment)
        times = []
        for work in (_READ, _LOAD, _LOAD):
            if not cached:
                _drop(path)
            times.append(_seconds(work, path, precision, environment))
        return _Times(*times)


def _drop(path: Path) -> None:
    """Remove a file from the system's cache."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        if sys.platform == "linux":
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def _seconds(work: str, path: Path, precision: str, environment: Mapping[str, str]) -> float:
    """Return the time of a program's work in a process of its own."""
    command = [sys.executable, "-c", _PROGRAM.format(work=work), str(path), precision]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**environment})
    return float(done.stdout)


def _write(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Write a ``.safetensors`` file of small random numbers in half precision, in little memory."""
    header, end = {}, 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [start, end]}
    described = json.dumps(header).encode()
    described += b" " * (-len(described) % 8)
    numbers = (torch.randn(_BLOCK // 2, generator=torch.Generator().manual_seed(0)) * 0.02).half().numpy().tobytes()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(described)) + described)
        for start in range(0, end, _BLOCK):
            file.write(numbers[: end - start])
