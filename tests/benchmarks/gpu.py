"""``python dev.py bench gpu``: everything that only a graphics card can show, in under 12 minutes and unattended.

Each part runs in a process of its own, so that a part that crashes or hangs takes nothing else with it; a line that
fails says why, and the others follow. What the time limit leaves no time for is listed as skipped.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from tests.benchmarks.gpu_accidents import accidents
from tests.benchmarks.gpu_families import families
from tests.benchmarks.gpu_place import SIZES, Check, Place, Result, write_checkpoint
from tests.benchmarks.gpu_speed import memory, optimizations, steps
from tests.benchmarks.gpu_truth import agreement, resume

PARTS: dict[str, Callable[[Place], Iterator[Check]]] = {
    "steps": steps,
    "families": families,
    "agreement": agreement,
    "resume": resume,
    "accidents": accidents,
    "memory": memory,
    "optimizations": optimizations,
}
"""The most important first."""
LIMIT = 700
"""Seconds for all parts, which leaves some for the installation to start and for writing the results."""
SKIPPED = "skipped: the time limit was reached"
_RESULT = "RESULT "


def main(words: Sequence[str]) -> int:
    arguments = _parser().parse_args(words)
    problem = no_cuda() if arguments.device.startswith("cuda") else ""
    if problem:
        print(problem, file=sys.stderr)
        return 1
    if arguments.child:
        return _child(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        results = _measure(arguments, Path(name), began + arguments.limit)
    failed = [one.what for one in results if one.kept is False]
    took = time.monotonic() - began
    print(f"\n{len(results)} lines in {took:.0f} s" + (f"; not as promised: {'; '.join(failed)}" if failed else ""))
    if arguments.json:
        whole = {"machine": machine(arguments.device), "size": arguments.size, "seconds": took}
        arguments.json.write_text(json.dumps({**whole, "results": [asdict(one) for one in results]}, indent=1))
    return 1 if failed else 0


def no_cuda() -> str:
    """Why there is no graphics card to measure, and what to do; empty where there is one."""
    if torch.version.cuda is None:
        version = torch.__version__.partition("+")[0]
        return (
            f"The installed PyTorch {torch.__version__} cannot use a graphics card: it was built without CUDA. Install "
            f"torch=={version} with CUDA ({sys.executable} -m pip install --force-reinstall, and the rest as the "
            "selector on pytorch.org names it for your system), then run this again."
        )
    if not torch.cuda.is_available():
        return (
            f"PyTorch {torch.__version__} finds no NVIDIA graphics card: check that nvidia-smi lists one, and that its "
            f"driver is new enough for CUDA {torch.version.cuda}."
        )
    return ""


def machine(device: str) -> str:
    """The device and the versions that the figures are of."""
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else "processor"
    return f"{name}, torch {torch.__version__}, Python {sys.version.split()[0]}"


def run_part(part: Callable[[Place], Iterator[Check]], place: Place, deadline: float) -> Iterator[Result]:
    """The results of a part's checks; an error becomes the result of its check, or of the part where it ends it."""
    try:
        for check in part(place):
            if time.monotonic() >= deadline:
                yield Result(check.what, SKIPPED)
                continue
            try:
                yield check.run()
            except Exception as error:  # noqa: BLE001 - whatever it is, the other checks follow
                yield _failure(check.what, error)
    except Exception as error:  # noqa: BLE001 - likewise
        yield _failure(part.__name__, error)


def run_process(name: str, command: Sequence[str], deadline: float) -> Iterator[Result]:
    """The results that a process prints, which is ended at the deadline; how it ended, where that was not well."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        watch = threading.Timer(max(0.0, deadline - time.monotonic()), process.kill)
        watch.start()
        try:
            for line in process.stdout or ():
                if line.startswith(_RESULT):
                    yield Result(**json.loads(line.removeprefix(_RESULT)))
            process.wait()
        finally:
            watch.cancel()
            process.kill()
        errors.seek(0)
        said = [line for line in errors.read().splitlines() if line.strip()]
    if time.monotonic() >= deadline and process.returncode:
        yield Result(name, SKIPPED)
    elif process.returncode:
        yield Result(name, f"its process ended with code {process.returncode}: {' | '.join(said[-3:])}", kept=False)


def _measure(arguments: argparse.Namespace, folder: Path, deadline: float) -> list[Result]:
    print(f"{machine(arguments.device)}, size {arguments.size}\n")
    print("| what | measured | promised | |\n| --- | --- | --- | --- |", flush=True)
    results = []
    checkpoint = write_checkpoint(folder, arguments.size)
    for name in arguments.parts or PARTS:
        if time.monotonic() >= deadline:
            found: Iterator[Result] = iter([Result(name, SKIPPED)])
        else:
            command = [
                *(sys.executable, "-m", "tests.benchmarks", "gpu", name, "--child", str(checkpoint)),
                *("--device", arguments.device, "--size", arguments.size, "--limit", str(deadline - time.monotonic())),
            ]
            found = run_process(name, command, deadline)
        for result in found:
            results.append(result)
            verdict = {True: "yes", False: "NO", None: ""}[result.kept]
            print(f"| {result.what} | {result.measured} | {result.promised} | {verdict} |", flush=True)
    return results


def _child(arguments: argparse.Namespace) -> int:
    """One part, whose results go to the process that asked."""
    deadline = time.monotonic() + arguments.limit
    with tempfile.TemporaryDirectory() as name:
        place = Place(arguments.device, SIZES[arguments.size], arguments.child, Path(name))
        for result in run_part(PARTS[arguments.parts[0]], place, deadline):
            print(_RESULT + json.dumps(asdict(result)), flush=True)
    return 0


def _failure(what: str, error: Exception) -> Result:
    return Result(what, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}", kept=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python dev.py bench gpu", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which to measure (default: all)")
    parser.add_argument("--device", default="cuda", help="(default: %(default)s)")
    parser.add_argument("--size", choices=list(SIZES), default="full", help="of the model (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for all parts (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the results")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    return parser
