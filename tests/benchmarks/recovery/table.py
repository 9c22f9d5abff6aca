"""The table of the recovery benchmark, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from statistics import fmean

from tests.benchmarks.recovery import summary
from tests.benchmarks.recovery.monitor import STANDARD
from tests.benchmarks.recovery.records import Record
from tests.benchmarks.recovery.summary import Estimate
from tests.benchmarks.recovery.variants import VARIANTS, WEBUI

ALL = "styles and shapes"
SPEED = (
    "row",
    "runs",
    "reached 0.8",
    "steps to 0.8",
    "images to 0.8",
    "CPU seconds to 0.8",
    "steps, ratio",
    "images, ratio",
    "seconds, ratio",
    "ms a step",
)
QUALITY = (
    "row",
    "whole runs",
    *(f"gap at {step}" for step in STANDARD),
    "at the end",
    "≥ 0.95 at the end",
    "norm at the end",
    "concept right",
    "other words right",
    "like a training image",
)


def table(records: Sequence[Record], against: str = WEBUI) -> str:
    """Return two tables, speed and quality, for each model, kind of concept and number of images.

    Parameters
    ----------
    against
        The row that ratios are relative to.
    """
    parts = []
    for (family, images, group), chosen in _groups(records):
        baseline = [record for record in chosen if record.variant == against]
        speed = _markdown(SPEED, _rows(chosen, lambda rows, baseline=baseline: _speed(rows, baseline)))
        parts.append(f"### {family}, {group}, {images} images\n\n{speed}")
        if whole := [record for record in chosen if record.generated]:
            parts.append(_markdown(QUALITY, _rows(whole, _quality)))
    return "\n\n".join(parts)


def _markdown(head: Sequence[str], rows: Iterator[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _groups(records: Sequence[Record]) -> Iterator[tuple[tuple[str, int, str], list[Record]]]:
    """Yield records by where they belong: styles and shapes together, then each of them, and each hard concept."""

    def where(record: Record) -> tuple[str, int, str]:
        return record.family, record.images, record.concept if record.kind == "hard" else ALL

    ordered = sorted(records, key=lambda record: (record.kind == "hard", where(record)))
    for place, found in groupby(ordered, key=where):
        chosen = list(found)
        yield place, chosen
        kinds = sorted({record.kind for record in chosen})
        for kind in kinds if len(kinds) > 1 else ():
            yield (*place[:2], f"{kind}s"), [record for record in chosen if record.kind == kind]


def _rows(records: Sequence[Record], cells: Callable[[Sequence[Record]], list[str]]) -> Iterator[list[str]]:
    for name in VARIANTS:
        if chosen := [record for record in records if record.variant == name]:
            yield [name, str(len(chosen)), *cells(chosen)]


def _speed(records: Sequence[Record], baseline: Sequence[Record]) -> list[str]:
    return [
        _share([summary.reached(record, record.steps) is not None for record in records]),
        *(
            _estimate(summary.geometric_mean([summary.cost(record, axis) for record in records]), digits)
            for axis, digits in ((summary.steps_of, 0), (summary.images_of, 0), (summary.seconds_of, 1))
        ),
        *(
            "1" if records == baseline else _ratio(summary.ratio(records, baseline, axis))
            for axis in (summary.steps_of, summary.images_of, summary.seconds_of)
        ),
        f"{1000 * fmean(record.seconds[-1] / record.steps[-1] for record in records):.0f}",
    ]


def _quality(records: Sequence[Record]) -> list[str]:
    ends = [record.gaps[-1] for record in records]
    return [
        *(_gap_at(records, step) for step in STANDARD),
        _estimate(summary.mean(ends), 2),
        _share([end >= 0.95 for end in ends]),
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
    return f"{_estimate(found[0], 2)}, {found[1]} pairs" if found else ""
