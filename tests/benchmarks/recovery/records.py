"""The raw numbers: one record a run, appended to a file of JSON lines, so that an interrupted benchmark continues.

``recovery.jsonl`` has a :class:`Record` a line. Beside it, ``recovery-samples.jsonl`` has for each of them a line with
``key`` (as :attr:`Record.key`), ``steps``, and ``validation`` and ``training``: at each of these steps the losses of 32
samples of 8 validation images and of training images. Sample ``i`` is of the same image, noise and timestep each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tests.benchmarks.recovery.monitor import Check

DIGITS = 4
Key = tuple[str, str, str, int, int]
"""Family, variant, concept, number of images, seed."""


@dataclass(frozen=True)
class Generated:
    """What images generated with the keyword show, as shares of them.

    Parameters
    ----------
    concept
        Have the concept.
    others
        Attributes that the prompt names otherwise and that are right.
    copies
        Are more like one of the training images than like any of as many other images of the concept; 0.5 is chance.
    """

    count: int
    concept: float
    others: float
    copies: float


@dataclass(frozen=True)
class Record:
    """One run. Losses are on the unseen images; ``neutral`` is gap 0 and ``true`` gap 1; ``seconds`` are of the CPU.

    ``generated`` is None of a run that was to end when it was at 0.8, even if it never got there.
    """

    family: str
    variant: str
    concept: str
    images: int
    seed: int
    kind: str
    batch: int
    settings: Mapping[str, Any]
    commit: str
    neutral: float
    true: float
    steps: list[int]
    losses: list[float]
    norms: list[float]
    seconds: list[float]
    generated: Generated | None

    @property
    def key(self) -> Key:
        return self.family, self.variant, self.concept, self.images, self.seed

    @property
    def gaps(self) -> list[float]:
        """Share of the way from the neutral to the true words at each of ``steps``."""
        return [(self.neutral - loss) / (self.neutral - self.true) for loss in self.losses]


def read(path: Path) -> list[Record]:
    """Read all records; of several with one key the last, and none where there is no file."""
    found: dict[Key, Record] = {}
    for line in _lines(path):
        known = {field.name: line[field.name] for field in fields(Record)}
        record = Record(**{**known, "generated": Generated(**line["generated"]) if line["generated"] else None})
        found[record.key] = record
    return list(found.values())


def append(path: Path, record: Record, checks: Sequence[Check]) -> None:
    """Add a record to the file, and the losses of its samples to the file beside it."""
    sampled = [check for check in checks if check.validation]
    samples = {
        "key": record.key,
        "steps": [check.step for check in sampled],
        "validation": [_rounded(check.validation) for check in sampled],
        "training": [_rounded(check.training) for check in sampled],
    }
    if sampled:
        _append(samples_path(path), samples)
    _append(path, asdict(record))


def samples_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}-samples.jsonl")


def _append(path: Path, line: Mapping[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, separators=(",", ":")) + "\n")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the whole lines; one that was cut off when the benchmark was killed is measured again."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def _rounded(losses: Sequence[float]) -> list[float]:
    return [float(f"{loss:.{DIGITS}g}") for loss in losses]
