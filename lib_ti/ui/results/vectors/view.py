"""The comparison of numbers of vectors as HTML."""

from __future__ import annotations

from lib_ti.training.cut.compare import VectorComparison
from lib_ti.training.cut.losses import HEAD
from lib_ti.ui.html.fragments import escape, notice
from lib_ti.ui.html.viewer import viewed

_SIZE = 1600


def comparison(found: VectorComparison) -> str:
    """The losses, what they say, and the images."""
    losses = found.losses
    head = "".join(f"<th>{escape(name)}</th>" for name in HEAD)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in losses.cells())
    table = f'<table class="ti-table ti-headed"><tr>{head}</tr>{body}</table>'
    shown = notice("info", [losses.conclusion(), *found.notes]) + table
    if found.sheet is None:
        return shown
    return shown + viewed(
        found.sheet, f"Step {found.step}: {found.sheet}", group="vectors", size=_SIZE, classes="ti-large"
    )
