"""What importing the package costs a WebUI's start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from tests.benchmarks.row import Row

CODE = (
    "import sys, time; before = set(sys.modules); start = time.perf_counter(); import lib_ti; "
    "print(time.perf_counter() - start, 'torch' in sys.modules)"
)


def measure() -> Iterator[Row]:
    found = [subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True) for _ in range(7)]
    seconds, torch_too = min((float(f.stdout.split()[0]), f.stdout.split()[1]) for f in found)
    yield Row(
        "import lib_ti",
        f"{1000 * seconds:.1f} ms, torch: {torch_too}",
        "50 ms, no torch",
        seconds < 0.05 and torch_too == "False",
    )
