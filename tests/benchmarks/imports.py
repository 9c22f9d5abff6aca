"""What importing the package and building the tab cost a WebUI's start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.row import Row

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7
PACKAGE = (
    "import sys, time; before = set(sys.modules); start = time.perf_counter(); import lib_ti; "
    "print(time.perf_counter() - start, 'torch' in sys.modules)"
)
TAB = """
import tempfile, time
from pathlib import Path
import fastapi, gradio, numpy, PIL.Image, safetensors.torch, torch, yaml  # the WebUI has these by then
start = time.process_time()
from lib_ti.ui import tab
imported = time.process_time() - start
from tests.fakes import FakeHost
host = FakeHost(Path(tempfile.mkdtemp()))
def build():
    start = time.process_time()
    tab.build(host)
    return time.process_time() - start
print(imported, min(build() for _ in range(5)))
"""


def measure() -> Iterator[Row]:
    found = [_run(PACKAGE) for _ in range(ROUNDS)]
    seconds, torch_too = min((float(one[0]), one[1]) for one in found)
    yield Row(
        "import lib_ti",
        f"{1000 * seconds:.1f} ms, torch: {torch_too}",
        "50 ms, no torch",
        seconds < 0.05 and torch_too == "False",
    )
    rounds = [tuple(map(float, _run(TAB))) for _ in range(ROUNDS)]
    imported, built = (min(one) for one in zip(*rounds, strict=True))
    yield Row(
        "the tab, CPU time to build it",
        f"{built:.3f} s (and {imported:.3f} s to import it)",
        "0.1 s",
        built < 0.1,
    )


def _run(code: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()
