"""How long a checkpoint of full size takes to load, in units of reading its file, both without the system's cache
of files (on Linux).

``TI_BENCH_LOADING=sdxl`` measures SDXL too, whose file has 7 GB and which takes as much memory.
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
from pathlib import Path

import torch

from tests.benchmarks.row import Row
from tests.host.embedded.test_full_size import shapes_of
from tests.networks import full_shapes

ROUNDS = 3
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


def measure() -> Iterator[Row]:
    kinds = {"SD 1.5 in float32": (full_shapes(), "float32")}
    if os.environ.get("TI_BENCH_LOADING") == "sdxl":
        kinds["SDXL in bfloat16"] = (shapes_of("sdxl"), "bfloat16")
    for what, (shapes, precision) in kinds.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            _write(path, shapes)
            # In turn, and the least counts: other programs only ever add to a time.
            times = [(_seconds(_READ, path, precision), _seconds(_LOAD, path, precision)) for _ in range(ROUNDS)]
            gigabytes = path.stat().st_size / 1e9
        read, load = (min(one) for one in zip(*times, strict=True))
        yield Row(
            f"loading {what} from a file of {gigabytes:.1f} GB ({load:.1f} s), in units of reading it ({read:.1f} s)",
            f"{load / read:.2f}",
            "1.3",
            load <= 1.3 * read,
        )


def _seconds(work: str, path: Path, precision: str) -> float:
    """Return the time of a program's work in a process of its own, with the file out of the system's cache."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
        if sys.platform == "linux":
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)
    command = [sys.executable, "-c", _PROGRAM.format(work=work), str(path), precision]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


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
