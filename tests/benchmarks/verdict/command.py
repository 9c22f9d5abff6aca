"""``python dev.py bench verdict``: train runs whose true course is measured, and count how often the verdict is right.

Gaps are shares of the way from the initial text to the true word, or to the best step where that is better.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from lib_ti.config.presets import PRESETS
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINTS
from tests.benchmarks.row import Row
from tests.benchmarks.verdict.judged import KEPT, LOST, NEAR, Judged, judged
from tests.benchmarks.verdict.kinds import CHOSEN_ON, Run, some
from tests.benchmarks.verdict.measure import measure


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python dev.py bench verdict", description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=64, help="of which the missing ones are trained, half a minute each"
    )
    parser.add_argument(
        "--first",
        type=int,
        default=CHOSEN_ON,
        help="number of the first run; rules were chosen on 0 to 39 (default: %(default)s)",
    )
    parser.add_argument("--results", type=Path, default=Path("verdict.jsonl"), help="default: %(default)s")
    parser.add_argument("--each", action="store_true", help="print a line for each run too")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch (default: %(default)s)")
    arguments = parser.parse_args(words)
    torch.set_num_threads(arguments.threads)
    _measure(some(arguments.first, arguments.runs), arguments.results)
    known = [judged(record) for record in _read(arguments.results)]
    if arguments.each:
        for run in known:
            _print_run(run)
    print(f"\n{len(known)} runs\n\n| what | measured | promised | |\n| --- | --- | --- | --- |")
    for row in rows(known):
        print(f"| {row.what} | {row.measured} | {row.promised} | {'yes' if row.kept else 'NO'} |")
    return 0


def rows(runs: Sequence[Judged]) -> Iterator[Row]:
    """Yield the hit rates of the verdict."""
    learned = [run for run in runs if run.learned]
    long = [run for run in learned if run.last_step >= 2 * run.whole_step]
    yield _row("best step within 0.05 of the best gap", map(_is_near, learned), at_least=0.9)
    of_presets = (run for run in learned if run.kind in PRESETS and run.kind != "webui")
    yield _row("the same in runs of the presets style, subject and quick", map(_is_near, of_presets), at_least=0.9)
    yield _row(
        "(probably) done is said before twice the steps that 95 % took, in runs so long", map(_in_time, long), 0.95
    )
    yield _row("(probably) done is said at all, in these runs", (run.done_step is not None for run in long), 0.95)
    yield _row("probably done is said where less than 90 % is reached", map(_is_falsely_done, runs), at_most=0.02)
    yield _row(
        "done is said there, by two checks, and ends a run that stops when done",
        map(_ends_too_early, runs),
        at_most=0.02,
    )
    lost = [run for run in learned if run.lost >= LOST]
    healthy = [run for run in learned if run.lost < KEPT]
    yield _row(
        f"overtraining is said where {LOST} of the gap is lost", (bool(r.final.overtraining) for r in lost), 0.85
    )
    yield _row("overtraining is said in a healthy run", (bool(r.final.overtraining) for r in healthy), at_most=0.03)
    yield _row("the same at any check of it", map(_is_ever_overtrained, healthy), at_most=0.03)
    yield _row("right about whether a run has begun (checks)", (right for run in runs for right in run.begun()), 0.95)
    best, last = (fmean(run.best - run.gap(step(run)) for run in learned) for step in (_best_step, _last_step))
    yield Row(
        "gap lost against the best step, on average", f"{best:.2f}; at the last step {last:.2f}", "less", best < last
    )
    for batch in sorted({run.batch for run in runs}):
        chosen = [run for run in runs if run.batch == batch]
        images = fmean(run.last_step * batch for run in chosen)
        for what, costs in (
            (
                f"CPU time of the checks in these runs, batch size {batch}, {images:.0f} images",
                [r.cost for r in chosen],
            ),
            (f"the same in 5,000 images, batch size {batch}", [run.cost_of_long() for run in chosen]),
        ):
            yield Row(what, f"{fmean(costs):.1%}", "at most 10%", fmean(costs) <= 0.1)


def _row(what: str, right: Iterable[bool], at_least: float = 0.0, at_most: float = 1.0) -> Row:
    found = list(right)
    share = sum(found) / len(found) if found else 0.0
    promised = f"at most {at_most:.0%}" if at_most < 1 else f"{at_least:.0%}"
    return Row(what, f"{share:.0%} ({sum(found)} of {len(found)})", promised, at_least <= share <= at_most)


def _is_near(run: Judged) -> bool:
    return run.best - run.gap(run.final.best_step) <= NEAR


def _best_step(run: Judged) -> int:
    return run.final.best_step


def _last_step(run: Judged) -> int:
    return run.last_step


def _in_time(run: Judged) -> bool:
    return run.done_step is not None and run.done_step <= 2 * run.whole_step


def _is_falsely_done(run: Judged) -> bool:
    return run.is_false(run.done_step)


def _is_ever_overtrained(run: Judged) -> bool:
    return any(verdict.overtraining for _, verdict in run.verdicts)


def _ends_too_early(run: Judged) -> bool:
    return run.is_false(run.end_step)


def _print_run(run: Judged) -> None:
    near = run.best - run.gap(run.final.best_step)
    print(
        f"{run.key}: 95% at {run.whole_step}, done at {run.done_step}, best {run.final.best_step} misses {near:.2f}, "
        f"lost {run.lost:.2f}, {run.final.headline} ({len(run.verdicts)} checks, {run.cost:.0%} of the time)"
    )


def _measure(runs: Sequence[Run], path: Path) -> None:
    known = {record["key"] for record in _read(path)}
    missing = [run for run in runs if run.key not in known]
    with tempfile.TemporaryDirectory() as folder:
        host = EmbeddedHost(CHECKPOINTS["sd1"], embeddings_folder=Path(folder))
        for run in missing:
            with host.models.session(SessionOptions()) as model:
                record = measure(model, run)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record, separators=(",", ":")) + "\n")
            print(run.key, flush=True)


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
