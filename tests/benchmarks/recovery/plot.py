"""The plot of the recovery benchmark: how many runs were at the goal by when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from tests.benchmarks.recovery import summary
from tests.benchmarks.recovery.records import Record
from tests.benchmarks.recovery.variants import MAIN

FEWEST = 10
"""Runs that a row needs for a line."""
AXES = (("steps", summary.steps_of), ("images seen", summary.images_of), ("CPU seconds", summary.seconds_of))


def plot(records: Sequence[Record], path: Path, fewest: int = FEWEST) -> None:
    """Plot for each preset with ``fewest`` runs the share of them that had closed 0.8 of the gap, by three measures."""
    chosen = [record for record in records if (record.family, record.images) == ("sd1", 16) and record.kind != "hard"]
    counts = Counter(record.variant for record in chosen)
    names = [name for name in MAIN if counts[name] >= fewest]
    figure = Figure(figsize=(11, 4), dpi=110, layout="constrained")
    for axes, (label, axis) in zip(figure.subplots(1, len(AXES), sharey=True), AXES, strict=True):
        for number, name in enumerate(names):
            rows = [record for record in chosen if record.variant == name]
            found = sorted(one for record in rows if (one := summary.reached(record, axis(record))) is not None)
            shares = np.arange(1, len(found) + 1) / len(rows)
            axes.step(found, shares, where="post", color=f"C{number}", label=f"{name} ({len(rows)} runs)")
        axes.set(xlabel=label, xscale="log", ylim=(0, 1.02))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel(f"share of runs that have closed {summary.GOAL} of the gap")
    if figure.axes[0].get_legend_handles_labels()[0]:
        figure.axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path)
