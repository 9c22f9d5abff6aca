"""What commands take to start and do the least there is to do, in units of ``python -c "import torch"``."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lib_ti.pocket.sample_set import sample_set
from tests.benchmarks.row import Row

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3
COMMANDS = {
    "show of a .safetensors file": (["show", "embeddings/my-style.safetensors"], 0.4),
    "create": (["create", "my-other-style", "--text", "style", "--overwrite"], 1.6),
    "generate, one step": (["generate", "a cat", "--steps", "1"], 2.2),
    "train, one step": (
        ["train", "my-style", "--dataset", "pictures", "--max-steps", "1", "--save-image-every", "0",
         "--save-embedding-every", "0", "--validate-every", "0"],
        3.0,
    ),
}  # fmt: skip


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample_set(folder / "pictures", "striped", count=2)
        create = ["-m", "lib_ti", "create", "my-style", "--text", "style", "--overwrite"]
        seconds: dict[str, list[float]] = {what: [] for what in ("torch", *COMMANDS)}
        # In turn, and the least counts: other programs only ever add to a time.
        for _ in range(ROUNDS):
            seconds["torch"].append(_processor_seconds(folder, "-c", "import torch"))
            _processor_seconds(folder, *create)
            for what, (arguments, _) in COMMANDS.items():
                seconds[what].append(_processor_seconds(folder, "-m", "lib_ti", *arguments))
    for what, (_, promised) in COMMANDS.items():
        ratio = min(seconds[what]) / min(seconds["torch"])
        yield Row(f"{what}, in units of importing torch", f"{ratio:.2f}", f"{promised}", ratio <= promised)


def _processor_seconds(folder: Path, *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
