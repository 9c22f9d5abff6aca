"""The table of the recovery benchmark, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import fmean

from tests.benchmarks.recovery import summary
from tests.benchmarks.recovery.monitor import STANDARD
from tests.benchmarks.recovery.records import Record
from tests.benchmarks.recovery.summary import Estimate
from tests.benchmarks.recovery.variants import VARIANTS, WEBUI

HEAD = (
    "row",
    "runs",
    *(f"gap at {step}" for step in STANDARD),
    "at the end",
    "≥ 0.95 at the end",
    "reached 0.8",
    "images to 0.8",
    "CPU s to 0.8",
    "images: ratio",
    "seconds: ratio",
    "ms a step",
    "norm",
    "concept right",
    "others right",
    "copies",
)


def table(records: Sequence[Record]) -> str:
    """Return a table for each model, kind of concept and number of images."""
    parts = []
    for (family, images, group), chosen in _groups(records):
        parts.append(f"\n{family}, {group}, {images} images\n\n| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
        parts += [f"| {' | '.join(cells)} |" for cells in _rows(chosen)]
    return "\n".join(parts)


def _groups(records: Sequence[Record]) -> Iterator[tuple[tuple[str, int, str], list[Record]]]:
    def where(record: Record) -> tuple[str, int, str]:
        return record.family, record.images, record.concept if record.kind == "hard" else "styles and shapes"

    ordered = sorted(records, key=lambda record: (where(record)[2] != "styles and shapes", where(record)))
    for place, found in groupby(ordered, key=where):
        chosen = list(found)
        yield place, chosen
        kinds = sorted({record.kind for record in chosen})
        for kind in kinds if len(kinds) > 1 else ():
            yield (place[0], place[1], f"{kind}s"), [record for record in chosen if record.kind == kind]


def _rows(records: Sequence[Record]) -> Iterator[list[str]]:
    names = [name for name in VARIANTS if any(record.variant == name for record in records)]
    baseline = [record for record in records if record.variant == WEBUI]
    for name in names:
        yield _cells(name, [record for record in records if record.variant == name], baseline)


def _cells(name: str, records: Sequence[Record], baseline: Sequence[Record]) -> list[str]:
    ends = [record.gaps[-1] for record in records]
    own = name == WEBUI
    return [
        name,
        str(len(records)),
        *(_gap_at(records, step) for step in STANDARD),
        _estimate(summary.mean(ends), 2),
        _share([end >= 0.95 for end in ends]),
        _share([summary.reached(record, record.steps) is not None for record in records]),
        _estimate(summary.geometric_mean([summary.cost(record, summary.images_of) for record in records]), 0),
        _estimate(summary.geometric_mean([summary.cost(record, summary.seconds_of) for record in records]), 1),
        "1" if own else _ratio(summary.ratio(records, baseline, summary.images_of)),
        "1" if own else _ratio(summary.ratio(records, baseline, summary.seconds_of)),
        f"{1000 * fmean(record.seconds[-1] / record.steps[-1] for record in records):.0f}",
        f"{fmean(record.norms[-1] for record in records):.2f}",
        *(f"{fmean(getattr(r.generated, what) for r in records):.3f}" for what in ("concept", "others", "copies")),
    ]


def _gap_at(records: Sequence[Record], step: int) -> str:
    found = [gap for record in records if (gap := summary.gap_at(record, step)) is not None]
    return f"{fmean(found):.2f}" + (f" ({len(found)})" if len(found) < len(records) else "") if found else ""


def _share(values: Sequence[bool]) -> str:
    return f"{sum(values)}/{len(values)}"


def _estimate(one: Estimate, digits: int) -> str:
    return f"{one.value:.{digits}f} ({one.low:.{digits}f}–{one.high:.{digits}f})"


def _ratio(found: tuple[Estimate, int] | None) -> str:
    return _estimate(found[0], 2) if found else ""
