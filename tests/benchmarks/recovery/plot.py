"""The plot of the recovery benchmark: how the gap closes, by images seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from tests.benchmarks.recovery.records import Record
from tests.benchmarks.recovery.variants import VARIANTS


def plot(records: Sequence[Record], path: Path) -> None:
    """Plot for styles and for shapes the mean gap of each row, and the band of half of its runs."""
    figure = Figure(figsize=(11, 5), dpi=110, layout="constrained")
    chosen = [record for record in records if record.generated and record.images == 16]
    for axes, kind in zip(figure.subplots(1, 2, sharey=True), ("style", "shape"), strict=True):
        for number, name in enumerate(VARIANTS):
            curves = [record for record in chosen if record.variant == name and record.kind == kind]
            if curves:
                steps = sorted({step for record in curves for step in record.steps})
                gaps = np.array([np.interp(steps, record.steps, record.gaps) for record in curves])
                images = np.array(steps) * curves[0].batch
                low, high = np.percentile(gaps, (25, 75), axis=0)
                axes.plot(images, gaps.mean(axis=0), color=f"C{number}", label=f"{name} ({len(curves)} runs)")
                axes.fill_between(images, low, high, color=f"C{number}", alpha=0.15, linewidth=0)
        axes.axhline(0.8, color="#999999", linewidth=0.8, linestyle="--")
        axes.set(title=f"{kind}s", xlabel="images seen", ylim=(-0.3, 1.1), xscale="symlog")
        axes.grid(alpha=0.25)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("share of the gap between the neutral and the true word that is closed")
    figure.savefig(path)
