"""Plots of a run: the losses, and a grid of images."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from lib_ti.lazy import lazy
from lib_ti.storage.atomic import write_atomically
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.files.tables import read_table
from lib_ti.training.images.curve import value_range
from lib_ti.training.validation.differences import errors
from lib_ti.training.validation.history import Check, read_history, segments
from lib_ti.training.validation.verdict import judge

if TYPE_CHECKING:
    from matplotlib import figure as matplotlib_figure
    from matplotlib.axes import Axes
else:
    matplotlib_figure = lazy("matplotlib.figure")  # half a second to import, and needed once a run

NOISE = "± 1 standard error of the difference from the best step before"
LARGE_CELL = 3.0
"""Side of an image in inches on a sheet of few images."""
INK, SOFT, VALIDATION, BEST = "#333333", "#b8c4d0", "#1f6fb2", "#d1495b"


def loss_plot(folder: RunFolder, path: Path | None = None) -> Path:
    """Plot the run's tables into ``path`` or the run's ``loss.png``: validation loss above, training loss below."""
    figure = matplotlib_figure.Figure(figsize=(9, 6), dpi=110, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    _plot_checks(above, read_history(folder.evaluations))
    above.set_title(f"{folder.name}: validation loss (the same images, noise and prompts each time)", loc="left")
    steps = [row for row in read_table(folder.losses) if row["skipped"] == "0"]
    numbers = [int(row["step"]) for row in steps]
    losses, smoothed = ([float(row[column]) for row in steps] for column in ("loss", "smoothed_loss"))
    below.plot(numbers, losses, color=SOFT, linewidth=0.7, label="each step")
    below.plot(numbers, smoothed, color=INK, linewidth=1.4, label="smoothed")
    below.set_ylim(*value_range(losses))
    below.set_title("training loss (mostly random: noise and timestep are sampled at each step)", loc="left")
    below.set_xlabel("step")
    below.xaxis.get_major_locator().set_params(integer=True)
    for axes in (above, below):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False)
    return _save(figure, path or folder.loss_plot)


def _plot_checks(axes: Axes, history: Sequence[Check]) -> None:
    """Plot a line for each state of the data, the current one with its noise, its best step and where it was done."""
    parts = segments(history)
    for part in parts:
        current = part is parts[-1]
        axes.plot(
            [check.step for check in part],
            [check.loss for check in part],
            color=VALIDATION if current else SOFT,
            marker="o",
            markersize=3,
            linewidth=1.6,
            label=None if current else "with earlier images or settings",
        )
    verdict = judge(history)
    if verdict:
        noise = errors(parts[-1])
        finite = [check for check in parts[-1] if check.step in noise]
        low, high = ([check.loss + sign * noise[check.step] for check in finite] for sign in (-1, 1))
        axes.fill_between([check.step for check in finite], low, high, color=VALIDATION, alpha=0.15, lw=0, label=NOISE)
        if verdict.done_step is not None:
            axes.axvline(verdict.done_step, color=INK, linewidth=1, ls=":", label=f"done: step {verdict.done_step}")
        label = f"best: step {verdict.best_step} ({verdict.best_loss:.4f})"
        axes.plot(verdict.best_step, verdict.best_loss, color=BEST, marker="o", markersize=7, ls="none", label=label)
        axes.set_ylim(*value_range(check.loss for check in history))
        _plot_shares(axes, parts[-1][-1].no_keyword)


def _plot_shares(axes: Axes, no_keyword: float | None) -> None:
    """Add an axis of how much less error there is with the keyword, and the line of none where it is near."""
    if not no_keyword:
        return
    low, high = axes.get_ylim()
    if high < no_keyword <= 2 * high - low:
        axes.set_ylim(low, no_keyword + 0.05 * (no_keyword - low))
    if no_keyword <= axes.get_ylim()[1]:
        axes.axhline(no_keyword, color=INK, linewidth=1, ls="--", label=f"without the keyword ({no_keyword:.4f})")

    def share(loss: Any) -> Any:
        return 100 * (1 - loss / no_keyword)

    def loss(share: Any) -> Any:
        return no_keyword * (1 - share / 100)

    shares = axes.secondary_yaxis("right", functions=(share, loss))
    shares.set_ylabel("% less error with the keyword")


def contact_sheet(
    path: Path,
    columns: Sequence[str],
    rows: Sequence[str],
    generate: Callable[[int, int], Image.Image],
    *,
    title: str = "",
    cell: float = 1.35,
) -> Path:
    """Write a grid of images: ``columns`` (steps) across, ``rows`` (prompts) down.

    Parameters
    ----------
    generate
        Returns the image at (row, column); called once for each.
    cell
        Side of an image in inches.
    """
    label, dpi = 2.1, 130
    width, height = label + cell * len(columns), cell * len(rows) + 0.35 + (0.4 if title else 0)
    figure = matplotlib_figure.Figure(figsize=(width, height), dpi=dpi, layout="constrained")
    grid = figure.subplots(len(rows), len(columns), squeeze=False)
    for row, prompt in enumerate(rows):
        for column, name in enumerate(columns):
            axes = grid[row][column]
            image = generate(row, column)
            upscaled = image.width < cell * dpi  # those of the pocket model, whose pixels should be seen
            axes.imshow(image, interpolation="nearest" if upscaled else "antialiased")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
            if row == 0:
                axes.set_title(name, fontsize=9, color=INK)
        text = textwrap.fill(prompt, 26)
        grid[row][0].set_ylabel(text, rotation=0, ha="right", va="center", fontsize=7.5, color=INK, labelpad=6)
    if title:
        figure.suptitle(title, fontsize=11, color=INK)
    return _save(figure, path)


def _save(figure: matplotlib_figure.Figure, path: Path) -> Path:
    write_atomically(path, lambda beside: figure.savefig(beside, format="png", facecolor="white"))
    return path
