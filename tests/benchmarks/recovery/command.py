"""``python dev.py bench recovery``: hide a word that the pocket model knows, and learn it back as an embedding."""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINTS
from tests.benchmarks.recovery import records
from tests.benchmarks.recovery.concepts import CONCEPTS, SHAPES, STYLES
from tests.benchmarks.recovery.measure import Run, measure
from tests.benchmarks.recovery.place import Place
from tests.benchmarks.recovery.plot import plot
from tests.benchmarks.recovery.records import Record
from tests.benchmarks.recovery.table import table
from tests.benchmarks.recovery.variants import MAIN, VARIANTS, WEBUI

STANDARD = [concept.name for concept in (*STYLES, *SHAPES)]
QUICK = ["striped", "star"]


def main(words: Sequence[str]) -> int:
    arguments = _parser().parse_args(words)
    path: Path = arguments.results
    if arguments.table:
        print(table(records.read(path), arguments.against))
    if arguments.plot:
        plot(records.read(path), arguments.plot)
        print(arguments.plot)
    if not arguments.table and not arguments.plot:
        torch.set_num_threads(arguments.threads)
        _measure(list(_runs(arguments)), path, arguments.family)
        print(table(records.read(path), arguments.against))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python dev.py bench recovery",
        description=f"{__doc__} Runs that the results file has are not measured again.",
    )
    known = f"{'; '.join(VARIANTS)} (default: {', '.join(MAIN)})"
    parser.add_argument("--rows", nargs="+", choices=VARIANTS, default=MAIN, metavar="ROW", help=known)
    parser.add_argument(
        "--concepts", nargs="+", choices=CONCEPTS, metavar="CONCEPT", help=f"{', '.join(CONCEPTS)} (default: first 12)"
    )
    parser.add_argument("--seeds", nargs="+", type=int, help="training images and noise (default: 0 1 2)")
    parser.add_argument("--images", nargs="+", type=int, default=[16], help="training images (default: %(default)s)")
    parser.add_argument("--steps", type=int, help="instead of each row's own number")
    parser.add_argument("--samples", action="store_true", help="also keep the losses of 32 samples at each check")
    parser.add_argument(
        "--until-goal", nargs="*", choices=VARIANTS, metavar="ROW", help="end runs at 0.8, of these rows or of all"
    )
    parser.add_argument("--quick", action="store_true", help=f"only {' and '.join(QUICK)}, one seed")
    parser.add_argument("--family", choices=CHECKPOINTS, default="sd1", help="of the pocket model")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch (default: %(default)s)")
    parser.add_argument("--results", type=Path, default=Path("recovery.jsonl"), help="default: %(default)s")
    parser.add_argument("--table", action="store_true", help="print the table of the results and measure nothing")
    parser.add_argument("--against", choices=VARIANTS, default=WEBUI, metavar="ROW", help="of ratios: %(default)s")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="plot the results and measure nothing")
    return parser


def _runs(arguments: argparse.Namespace) -> Iterator[Run]:
    """Yield the runs; those that are compared follow each other, so that their seconds can be compared too."""
    concepts = arguments.concepts or (QUICK if arguments.quick else STANDARD)
    seeds = arguments.seeds or ([0] if arguments.quick else [0, 1, 2])
    shortened = arguments.until_goal
    for images, seed, concept, row in itertools.product(arguments.images, seeds, concepts, arguments.rows):
        run = Run(VARIANTS[row], CONCEPTS[concept], images, seed, arguments.steps)
        until_goal = shortened is not None and (not shortened or row in shortened)
        yield replace(run, samples=arguments.samples, until_goal=until_goal)


def _measure(runs: Sequence[Run], path: Path, family: str) -> None:
    """Measure what the file does not have yet, and append it."""
    known = {record.key: record for record in records.read(path)}
    missing = [run for run in runs if not _is_known(known.get(run.key(family)), run)]
    print(f"{len(runs)} runs, {len(runs) - len(missing)} of them in {path} already", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        host = EmbeddedHost(CHECKPOINTS[family], embeddings_folder=Path(folder) / "embeddings")
        with host.models.session(SessionOptions()) as model:
            place = Place(model, Path(folder))
            for run in missing:
                began = time.monotonic()
                record, checks = measure(place, run, family)
                records.append(path, record, checks)
                print(f"{_line(record)} of {time.monotonic() - began:.1f} s", flush=True)


def _is_known(record: Record | None, run: Run) -> bool:
    """Return whether a run was measured; one that was ended at 0.8 is not enough for one that is to be whole."""
    return record is not None and (run.until_goal or record.generated is not None)


def _line(record: Record) -> str:
    gaps = ", ".join(f"{step}: {gap:.2f}" for step, gap in zip(record.steps, record.gaps, strict=True))
    made = record.generated
    images = f"concept {made.concept:.2f} others {made.others:.2f} copies {made.copies:.2f} | " if made else ""
    what = f"{record.variant} | {record.concept} | {record.images} images | seed {record.seed}"
    return f"{what} | {gaps} | norm {record.norms[-1]:.2f} | {images}{record.seconds[-1]:.1f} s"
