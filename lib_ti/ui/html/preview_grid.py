"""Previews of several prompts as a table: a row for each step, a column for each prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lib_ti.ui.html.fragments import escape
from lib_ti.ui.html.viewer import viewed

_SIDE = 512
"""Longest side in pixels."""
_HEADING, _COLUMN = 4, 5
"""Widths in rem: of the column with the steps, and of a preview at least."""


def preview_grid(rows: Sequence[tuple[str, Mapping[int, Path]]], prompts: Mapping[int, str], *, group: str) -> str:
    """Return the table; empty without rows.

    Parameters
    ----------
    rows
        The name of a step, such as ``"step 50"``, and its previews by the number of their prompt. Those that are
        missing leave their cell empty.
    prompts
        The columns in their order: prompts by number.
    group
        Images that the viewer turns through with these.
    """
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{escape(prompt)}</th>' for prompt in prompts.values())
    body = "".join(
        f'<tr><th scope="row">{escape(step)}</th>'
        f"{''.join(_cell(step, previews.get(one), prompt, group) for one, prompt in prompts.items())}</tr>"
        for step, previews in rows
    )
    narrowest = _HEADING + _COLUMN * len(prompts)
    return (
        '<div class="ti-preview-grid" tabindex="0" role="group" aria-label="Previews by step and prompt">'
        f'<table style="min-width: {narrowest}rem">'
        f"<thead><tr><td></td>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(step: str, path: Path | None, prompt: str, group: str) -> str:
    return f"<td>{viewed(path, step, group=group, detail=prompt, size=_SIDE) if path else ''}</td>"
