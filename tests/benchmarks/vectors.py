"""``python dev.py bench vectors``: how much an embedding of 8 vectors loses when it is cut to fewer.

Words that the pocket model knows are hidden and learned back, with and without nested dropout. What is measured is the
gap of :mod:`tests.benchmarks.recovery`, on 64 unseen images with fixed noise: 0 is the loss of a neutral word, 1 that
of the true words. A cut that loses 3 points takes the gap from 0.95 to 0.92.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

import torch

from lib_ti.data.templates import find_template
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.pocket import CHECKPOINTS
from lib_ti.training.build import build_trainer
from lib_ti.training.step.batch_source import BatchSource
from lib_ti.training.step.nested_dropout import NestedDropout
from lib_ti.training.trainer import Trainer
from tests.benchmarks.recovery.concepts import CONCEPTS, Concept
from tests.benchmarks.recovery.monitor import Losses, Monitor
from tests.benchmarks.recovery.place import KEYWORD, Place
from tests.benchmarks.recovery.summary import Estimate, mean
from tests.benchmarks.recovery.variants import VARIANTS, Variant

VECTORS, IMAGES = 8, 16
KEPT = (8, 6, 4, 3, 2, 1)
PROMISED = 0.03
"""Largest loss of gap when 8 vectors that were trained for it are cut to 4."""
STYLE = VARIANTS["style"].settings


@contextmanager
def one_number_a_batch(trainer: Trainer, model: EmbeddedModel, monitor: Monitor) -> Iterator[None]:
    """Use equally many vectors for all images of a batch."""
    nested = NestedDropout(seed=0)
    trainer._backward._in_use = lambda index, images, count: [*nested(index, 1, count)] * images
    yield


WAYS: Mapping[str, Variant] = {
    one.name: one
    for one in (
        Variant("plain", "preset style, 8 vectors", STYLE, vectors=VECTORS),
        Variant("nested", "with nested dropout", {**STYLE, "nested_dropout": True}, vectors=VECTORS),
        Variant("batch", "with one number of vectors a batch", STYLE, vectors=VECTORS, adapt=one_number_a_batch),
    )
}
DEFAULT = ("striped", "glowing", "star", "ring")


@dataclass(frozen=True)
class Cuts:
    """The gaps of one trained embedding by the number of vectors kept, and the CPU seconds of a step."""

    way: str
    family: str
    concept: str
    seed: int
    gaps: Mapping[int, float]
    seconds: float


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python dev.py bench vectors", description=__doc__)
    parser.add_argument("--rows", nargs="+", choices=WAYS, default=list(WAYS), metavar="ROW", help=", ".join(WAYS))
    parser.add_argument("--concepts", nargs="+", choices=CONCEPTS, default=DEFAULT, metavar="CONCEPT")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1], help="training images and noise (default: 0 1)")
    parser.add_argument("--steps", type=int, help="instead of the preset's 200")
    parser.add_argument("--family", choices=CHECKPOINTS, default="sd1", help="of the pocket model")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch (default: %(default)s)")
    parser.add_argument("--results", type=Path, help="also append the raw numbers as JSON lines")
    arguments = parser.parse_args(words)
    torch.set_num_threads(arguments.threads)
    found = []
    for cuts in _measured(arguments):
        found.append(cuts)
        shown = ", ".join(f"{count}: {gap:.3f}" for count, gap in cuts.gaps.items())
        print(f"{cuts.way} | {cuts.concept} | seed {cuts.seed} | {shown}", flush=True)
        if arguments.results:
            with arguments.results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(cuts)) + "\n")
    print(table(found))
    if "nested" not in arguments.rows:
        return 0
    lost = lost_gap(found, "nested", 4)
    print(f"\nNested dropout, 8 cut to 4: {_shown(lost)} of the gap lost, at most {PROMISED:.3f} promised")
    return int(lost.value > PROMISED)


def _measured(arguments: argparse.Namespace) -> Iterator[Cuts]:
    with tempfile.TemporaryDirectory() as folder:
        host = EmbeddedHost(CHECKPOINTS[arguments.family], embeddings_folder=Path(folder) / "embeddings")
        with host.models.session(SessionOptions()) as model:
            place = Place(model, Path(folder))
            for seed, concept, way in itertools.product(arguments.seeds, arguments.concepts, arguments.rows):
                gaps, seconds = measure(place, CONCEPTS[concept], WAYS[way], seed, arguments.steps)
                yield Cuts(way, arguments.family, concept, seed, gaps, seconds)


def measure(
    place: Place, concept: Concept, way: Variant, seed: int, steps: int | None = None
) -> tuple[dict[int, float], float]:
    """Train one embedding; return its gaps by the number of vectors kept, and the CPU seconds of a step."""
    config = way.config(seed, steps)
    training = place.images(concept, "training", IMAGES, seed)
    batches = BatchSource(training.dataset, training.encoded, find_template(concept.template, ()), KEYWORD, config)
    start = Embedding(KEYWORD, place.model.initial_vectors(concept.start, way.vectors))
    trainer = build_trainer(place.model, config, batches, start, first_step=0)
    neutral, true = place.goal(concept)
    loss = place.gap_loss(concept)
    monitor = Monitor(Losses(loss), [], goal=true, first_norm=1.0)
    with way.adapt(trainer, place.model, monitor):
        began = time.process_time()
        trainer.run()
        seconds = (time.process_time() - began) / trainer.step
    trained = trainer.live.snapshot()
    gaps = {count: round((neutral - fmean(loss(trained.first(count)))) / (neutral - true), 4) for count in KEPT}
    return gaps, round(seconds, 4)


def lost_gap(found: Sequence[Cuts], way: str, count: int) -> Estimate:
    """Return how much of the gap a cut to ``count`` vectors loses, over all runs of one way."""
    return mean([cuts.gaps[VECTORS] - cuts.gaps[count] for cuts in found if cuts.way == way])


def table(found: Sequence[Cuts]) -> str:
    """Return the gaps by the number of vectors kept, and the time of a step, in Markdown."""
    head = ("", "runs", *(f"gap with {count}" for count in KEPT), "ms a step")
    lines = [head, ("---",) * len(head)]
    for way in WAYS.values():
        if chosen := [cuts for cuts in found if cuts.way == way.name]:
            gaps = (_shown(mean([cuts.gaps[count] for cuts in chosen]), 2) for count in KEPT)
            milliseconds = f"{1000 * fmean(cuts.seconds for cuts in chosen):.0f}"
            lines.append((way.about, str(len(chosen)), *gaps, milliseconds))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _shown(one: Estimate, digits: int = 3) -> str:
    return f"{one.value:.{digits}f} ({one.low:.{digits}f} to {one.high:.{digits}f})"
