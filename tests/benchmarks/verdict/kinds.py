"""The runs that the verdict is judged on: fast and slow learners, some that overtrain, some that never begin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from lib_ti.config.presets import PRESETS

STYLES = ("dotted", "checked", "shadowed", "framed", "checked+shadowed", "outlined+glowing", "striped", "glowing")
SHAPES = ("square", "triangle", "cross", "circle", "ring", "star")


SHARES = (0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Parts of a run after which it is measured, beside its beginning and end."""


@dataclass(frozen=True)
class Kind:
    """Settings of runs.

    Parameters
    ----------
    shift, shapes
        Which concepts: the number of the first style, and whether all are shapes (1), or every second or third (2, 3).
    """

    settings: Mapping[str, Any]
    images: int = 16
    captions: bool = True
    vectors: int = 4
    shift: int = 0
    shapes: int = 0

    @property
    def measured(self) -> frozenset[int]:
        """Steps after which a run is measured, of which a verdict uses those that its cadence asks for."""
        return frozenset(round(share * self.settings["max_steps"]) for share in (0, *SHARES, 1))


def _preset(name: str, **more: object) -> dict[str, object]:
    return {**PRESETS[name].settings, "max_steps": PRESETS[name].steps, **more}


def _overtraining(**more: object) -> Kind:
    settings = {"learning_rate": "1.1x", "batch_size": 2, "max_steps": 300, **more}
    return Kind(settings, images=4, captions=False, vectors=8, shift=3, shapes=3)


KINDS = {
    "style": Kind(_preset("style")),
    "subject": Kind(_preset("subject"), shapes=1),
    "overtraining": _overtraining(normalize_gradients=True),
    # 0.005 is as many times the word vectors' RMS of Stable Diffusion 1.5.
    "webui": Kind(_preset("webui", learning_rate="0.37x", max_steps=400), shift=5, shapes=2),
    "quick": Kind(_preset("quick"), shift=6, shapes=2),
    "two images": replace(_overtraining(normalize_gradients=True, max_steps=200), images=2, shift=1),
    "style without captions": Kind(_preset("style"), captions=False, shift=4),
    "slow": Kind(_preset("style", learning_rate="0.01x", max_steps=100), shift=2),
}
SEED = 8000
"""Of the first run; no seed of an earlier measurement is used again."""
CHOSEN_ON = 40
"""Runs on which the rules were chosen, the first ones."""


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
            if kind.shapes and turn % kind.shapes == 0:
                concept = SHAPES[turn % len(SHAPES)]
            yield Run(name, concept, SEED + 50 * place + turn, kind)


def some(first: int, count: int) -> list[Run]:
    """Return so many runs from a number on, which counts from 0."""
    return list(islice(runs(first + count), first, first + count))
