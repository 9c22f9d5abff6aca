"""Pictures of a run: the loss curve and the contact sheet (steps across, prompts down)."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from lib_ti.atomic import write_atomically
from lib_ti.training.evaluation import is_new_best
from lib_ti.training.rundir import RunFolder, read_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, SOFT, MEASURED, BEST = "#333333", "#b8c4d0", "#1f6fb2", "#d1495b"


def loss_plot(folder: RunFolder, path: Path | None = None) -> Path:
    """Draw the run's tables into ``path`` or the run's ``loss.png``: measured loss above, loss of the steps below."""
    from matplotlib.figure import Figure  # half a second to import, and needed once a run

    measured = [(int(row["step"]), float(row["loss"])) for row in read_table(folder.evaluations)]
    steps = [row for row in read_table(folder.losses) if row["skipped"] == "0"]
    figure = Figure(figsize=(9, 6), dpi=110, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    if measured:
        x, y = zip(*measured, strict=True)
        best = measured[0]
        for point in measured:
            best = point if is_new_best(point[1], best[1]) else best
        above.plot(x, y, color=MEASURED, marker="o", markersize=3, linewidth=1.6)
        above.plot(*best, color=BEST, marker="o", markersize=7, linestyle="none", label=f"best: step {best[0]}")
        above.legend(frameon=False)
    above.set_title(f"{folder.name}: measured loss (the same pictures, noise and prompts each time)", loc="left")
    numbers = [int(row["step"]) for row in steps]
    below.plot(numbers, [float(row["loss"]) for row in steps], color=SOFT, linewidth=0.7, label="each step")
    below.plot(numbers, [float(row["smoothed_loss"]) for row in steps], color=INK, linewidth=1.4, label="smoothed")
    below.set_title("loss of the steps (mostly chance: noise and timestep are drawn anew)", loc="left")
    below.set_xlabel("step")
    below.xaxis.get_major_locator().set_params(integer=True)
    below.legend(frameon=False)
    for axes in (above, below):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    return _save(figure, path or folder.loss_plot)


def contact_sheet(
    path: Path,
    columns: Sequence[str],
    rows: Sequence[str],
    picture: Callable[[int, int], Image.Image],
    *,
    title: str = "",
) -> Path:
    """Write a grid of pictures with captions: ``columns`` (steps) across, ``rows`` (prompts) down.

    Parameters
    ----------
    picture
        Gives the picture at (row, column); called once for each place.
    """
    from matplotlib.figure import Figure

    cell, label = 1.35, 2.1
    width, height = label + cell * len(columns), cell * len(rows) + 0.35 + (0.4 if title else 0)
    figure = Figure(figsize=(width, height), dpi=130, layout="constrained")
    grid = figure.subplots(len(rows), len(columns), squeeze=False)
    for row, prompt in enumerate(rows):
        for column, name in enumerate(columns):
            axes = grid[row][column]
            axes.imshow(picture(row, column), interpolation="nearest" if cell < 2 else "antialiased")
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


def _save(figure: Figure, path: Path) -> Path:
    write_atomically(path, lambda beside: figure.savefig(beside, format="png", facecolor="white"))
    return path
