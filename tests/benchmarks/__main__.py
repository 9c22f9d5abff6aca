"""``python -m tests.benchmarks [start|loading|step|families|caching|quality|suggest|fill|prepare …]``: print figures.

``python -m tests.benchmarks gpu`` measures a graphics card, ``python -m tests.benchmarks recovery`` how fast and well
the ways to train learn, ``python -m tests.benchmarks verdict`` how often the verdict on a run is right, and
``python -m tests.benchmarks vectors`` what an embedding loses when it is cut; they have options of their own.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from tests.benchmarks.row import Row

PARTS = {
    "imports": ["imports.measure"],
    "start": ["start.measure"],
    "loading": ["loading.measure"],
    "step": ["step.measure"],
    "families": ["families.measure"],
    "memory": ["step.measure_memory"],
    "caching": ["caching.measure"],
    "quality": ["quality.measure"],
    "suggest": ["suggest.measure", "initial_text.measure"],
    "fill": ["fills.measure"],
    "prepare": ["prepare_look.measure", "prepare_run.measure", "prepare_gallery.measure"],
}
"""Functions of modules beside this one, which are imported by the part that needs them."""
ONLY_NAMED = {"loading"}
"""Parts that are measured when they are named only: it writes a file of 2 GB or 7 GB."""
_HELP = f"which to measure (default: all but {', '.join(ONLY_NAMED)})"


def main() -> int:
    if sys.argv[1:2] == ["gpu"]:
        from tests.benchmarks import gpu

        return gpu.main(sys.argv[2:])
    if sys.argv[1:2] == ["recovery"]:
        from tests.benchmarks.recovery import command

        return command.main(sys.argv[2:])
    if sys.argv[1:2] == ["verdict"]:
        from tests.benchmarks.verdict import command as verdict

        return verdict.main(sys.argv[2:])
    if sys.argv[1:2] == ["vectors"]:
        from tests.benchmarks import vectors

        return vectors.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python dev.py bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=_HELP)
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch (default: %(default)s)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    print(f"{_processor()}, {torch.get_num_threads()} thread(s), {versions}\n")
    print("| what | measured | promised | |\n| --- | --- | --- | --- |")
    rows: list[Row] = []
    for name in arguments.parts or [name for name in PARTS if name not in ONLY_NAMED]:
        for row in _rows(name):
            rows.append(row)
            print(f"| {row.what} | {row.measured} | {row.promised} | {'yes' if row.kept else 'NO'} |", flush=True)
    missed = [row.what for row in rows if not row.kept]
    print(f"\n{len(rows) - len(missed)} of {len(rows)} kept" + (f"; not kept: {'; '.join(missed)}" if missed else ""))
    return 1 if missed else 0


def _rows(part: str) -> Iterator[Row]:
    for place in PARTS[part]:
        module, _, function = place.partition(".")
        yield from getattr(importlib.import_module(f"tests.benchmarks.{module}"), function)()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    raise SystemExit(main())
