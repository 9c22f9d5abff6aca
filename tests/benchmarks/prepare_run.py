"""Preparing pictures, against the same work done plainly; and the memory that it takes."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lib_ti.config import PrepareConfig
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from tests.benchmarks.row import Row

SIZE = (4000, 3000)
"""Twelve megapixels."""
HUGE = (11600, 8600)
"""A hundred megapixels, of which Pillow warns and which it opens."""
SIDE = 512
COMPRESSION = 3
ROUNDS = 4
"""Each way of working is timed as often, in turn, and its best time counts: others use the machine too."""
MOST_MEMORY = 1500


def measure(count: int = int(os.environ.get("TI_BENCH_PREPARE", "16"))) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photographs(folder / "found", count)
        ways = {
            "plain": lambda: _plainly(folder / "found", folder / "plain", draft=False),
            "draft": lambda: _plainly(folder / "found", folder / "draft", draft=True),
            "centre": lambda: _ours(folder, "centre", workers=1),
            "one": lambda: _ours(folder, "saliency", workers=1),
            "two": lambda: _ours(folder, "saliency", workers=2),
            "hashing by one": lambda: _hashing(1),
            "hashing by two": lambda: _hashing(2),
        }
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(ROUNDS):
            for way, work in ways.items():
                best[way] = min(best[way], work())
        again = _ours(folder, "saliency", workers=2, fresh=False)
        yield from _speed(best, again, count)
        yield from _memory(folder, count)


def _speed(best: dict[str, float], again: float, count: int) -> Iterator[Row]:
    each = f"{count} images of 12 megapixels, one thread"
    for way, what in (("centre", "cropped in the middle"), ("one", "cropped around the salient area")):
        ratio = best[way] / best["plain"]
        yield Row(
            f"{each}: {what}, downscaled, saved ({best[way]:.1f} s), in units of a plain Pillow loop "
            f"({best[way] / best['draft']:.2f} of one that decodes JPEG at reduced size)",
            f"{ratio:.2f}",
            "1.2",
            ratio <= 1.2,
        )
    faster = best["one"] / best["two"]
    possible = best["hashing by one"] / best["hashing by two"]
    yield Row(
        f"the same with two threads ({faster:.2f} times as fast), in units of what two threads gain that share nothing "
        f"({possible:.2f} times as fast on this machine now)",
        f"{faster / possible:.2f}",
        "0.85",
        faster / possible >= 0.85,
    )
    share = again / best["two"]
    yield Row("the same again, with nothing to do", f"{share:.3f} of it", "0.1", share <= 0.1)


def _memory(folder: Path, count: int) -> Iterator[Row]:
    photographs(folder / "more", 4 * count, like=folder / "found")
    few, many = (_peak(folder / name, folder / f"{name}-ready") for name in ("found", "more"))
    yield Row(
        f"most memory of the process with {count} images ({few:.0f} MB) and with {4 * count}",
        f"{many - few:+.0f} MB",
        "flat (60 MB)",
        many - few < 60,
    )
    (folder / "huge").mkdir()
    for number in range(4):
        Image.new("RGB", HUGE, (number, 90, 160)).save(folder / "huge" / f"{number}.png", compress_level=1)
    huge = _peak(folder / "huge", folder / "huge-ready")
    yield Row(
        "most memory with 4 PNG files of 100 megapixels, two threads",
        f"{huge:.0f} MB",
        f"{MOST_MEMORY} MB",
        huge < MOST_MEMORY,
    )


def photographs(folder: Path, count: int, like: Path | None = None) -> None:
    """JPEG files with the size and the entropy of photographs; all different, though most differ by a comment only."""
    folder.mkdir()
    drawn = sorted(like.iterdir()) if like else [_draw(folder / "0000.jpg", 0), _draw(folder / "0001.jpg", 1)]
    for number in range(count):
        path = folder / f"{number:04}.jpg"
        if path not in drawn:
            comment = number.to_bytes(4, "big")
            data = drawn[number % len(drawn)].read_bytes()
            path.write_bytes(data[:2] + b"\xff\xfe\x00\x06" + comment + data[2:])


def _draw(path: Path, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
    grain = rng.normal(0, 6, (SIZE[1], SIZE[0], 1))
    Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)).save(path, quality=88)
    return path


def _plainly(found: Path, output: Path, *, draft: bool) -> float:
    output.mkdir(exist_ok=True)
    start = time.perf_counter()
    for path in sorted(found.iterdir()):
        with Image.open(path) as picture:
            if draft:
                picture.draft("RGB", (2 * SIDE, 2 * SIDE))
            small = ImageOps.fit(picture.convert("RGB"), (SIDE, SIDE), Image.Resampling.LANCZOS)
            small.save(output / f"{path.stem}.png", compress_level=COMPRESSION)
    return time.perf_counter() - start


def _hashing(threads: int) -> float:
    data = bytes(16 << 20)
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: hashlib.blake2b(data).digest(), range(24)))
    return time.perf_counter() - start


def _ours(folder: Path, framing: str, *, workers: int, fresh: bool = True) -> float:
    output = folder / f"{framing}-{workers}"
    config = PrepareConfig(source=str(folder / "found"), output=str(output), framing=framing, workers=workers)
    if fresh and output.exists():
        for path in output.iterdir():
            if path.is_file():
                path.unlink()
    start = time.perf_counter()
    execute_plan(make_plan(config), progress=lambda done, total: None, stop=lambda: False)
    return time.perf_counter() - start


def _peak(found: Path, output: Path) -> float:
    """Most memory, in MB, of a process of its own that prepares a folder."""
    code = (
        "import sys\n"
        "from lib_ti.cli.main import main\n"
        "from tests.benchmarks.prepare_run import most_memory\n"
        "assert main(['prepare', *sys.argv[1:], '--workers', '2', '--json']) == 0\n"
        "print(most_memory())"
    )
    command = [sys.executable, "-c", code, str(found), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def most_memory() -> float:
    """Of this process so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage tells counts the process that started this one, too
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
