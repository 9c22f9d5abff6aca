"""The runs that the verdict is judged on: fast and slow learners, some that overtrain, some that never begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

STYLES = ("dotted", "checked", "shadowed", "framed", "checked+shadowed", "outlined+glowing", "striped", "glowing")
SHAPES = ("square", "triangle", "cross", "circle")


@dataclass(frozen=True)
class Kind:
    """Settings of runs.

    Parameters
    ----------
    every
        Steps between two measurements, of which a verdict uses those that its cadence asks for.
    shift, shapes
        Which concepts: the number of the first style, and in which of two rounds it is a shape instead.
    """

    settings: Mapping[str, object]
    every: int
    images: int = 16
    captions: bool = True
    vectors: int = 4
    shift: int = 0
    shapes: tuple[int, ...] = ()


def _settings(rate: str, batch: int, steps: int, **more: object) -> dict[str, object]:
    return {"learning_rate": rate, "batch_size": batch, "max_steps": steps, **more}


_COSINE = {"learning_rate_decay": "cosine"}
KINDS = {
    "renorm-b4": Kind(_settings("0.1", 4, 120, **_COSINE, vector_norm="fixed"), every=5),
    "free-b4": Kind(_settings("0.05", 4, 160, **_COSINE), every=6, shapes=(0,)),
    "over-nocap": Kind(_settings("0.1", 1, 700), every=28, images=4, captions=False, vectors=8, shift=3),
    "free-b1": Kind(_settings("0.05", 1, 600), every=24, shift=5, shapes=(0,)),
    "over-cap": Kind(_settings("0.1", 1, 500), every=25, images=4, vectors=8, shift=1),
    "slow": Kind(_settings("0.001", 1, 300), every=25, shift=2),
}
SEED = 7000
"""Of the first run; no seed of an earlier measurement is used again."""


@dataclass(frozen=True)
class Run:
    kind: str
    concept: str
    seed: int
    settings: Kind = field(compare=False, repr=False)

    @property
    def key(self) -> str:
        return f"{self.kind} {self.concept} {self.seed}"


def runs(rounds: int) -> Iterator[Run]:
    """Yield a run of each kind in every round, so that a measurement that is stopped has some of all."""
    for turn in range(rounds):
        for place, (name, kind) in enumerate(KINDS.items()):
            concept = STYLES[(turn + kind.shift) % len(STYLES)]
            if turn % 2 in kind.shapes or (name == "over-nocap" and turn % 3 == 0):
                concept = SHAPES[turn % len(SHAPES)]
            yield Run(name, concept, SEED + 50 * place + turn, kind)


def first(count: int) -> list[Run]:
    return list(islice(runs(count), count))
