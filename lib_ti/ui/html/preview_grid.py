"""Previews of several prompts as a table: a row for each step, a column for each prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lib_ti.ui.html.fragments import escape, figure
from lib_ti.ui.server.image_addresses import AS_IT_IS, address

_SIDE = 512
"""Longest side in pixels."""
_SMALL_FILE = 64 * 1024
_HEADING, _COLUMN = 4, 5
"""Widths in rem: of the column with the steps, and of a preview at least."""


def preview_grid(rows: Sequence[tuple[str, Mapping[int, Path]]], prompts: Mapping[int, str]) -> str:
    """Return the table; empty without rows.

    Parameters
    ----------
    rows
        The name of a step, such as ``"step 50"``, and its previews by the number of their prompt. Those that are
        missing leave their cell empty.
    prompts
        The columns in their order: prompts by number.
    """
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{escape(prompt)}</th>' for prompt in prompts.values())
    body = "".join(
        f'<tr><th scope="row">{escape(step)}</th>{"".join(_cell(step, previews.get(one)) for one in prompts)}</tr>'
        for step, previews in rows
    )
    narrowest = _HEADING + _COLUMN * len(prompts)
    return (
        '<div class="ti-preview-grid" tabindex="0" role="group" aria-label="Previews by step and prompt">'
        f'<table style="min-width: {narrowest}rem">'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(step: str, path: Path | None) -> str:
    # Addresses, since a grid has many images, and all but the newest are in the browser already.
    return f"<td>{figure(path, step, source=address(path, _size(path))) if path else ''}</td>"


def _size(path: Path) -> int:
    """Return the longest side to serve; small files as they are, since they would lose more than is saved."""
    try:
        return AS_IT_IS if path.stat().st_size < _SMALL_FILE else _SIDE
    except OSError:
        return _SIDE
