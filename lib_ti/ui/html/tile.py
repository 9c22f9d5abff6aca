"""Placeholder for an image that cannot be shown, with the reason written on it."""

from __future__ import annotations

import textwrap

from lib_ti.ui.html.fragments import escape

MEDIA_TYPE = "image/svg+xml"
_SIDE, _LETTERS, _LINE = 256, 16, 34
"""Side in SVG units, characters per line, and line height."""
_MOST_LINES = 6
_COLOUR = "#888"
"""Readable on light and dark pages."""


def tile(reason: str) -> str:
    """Return an SVG image that shows a sentence, wrapped."""
    lines = textwrap.wrap(reason, _LETTERS, max_lines=_MOST_LINES, placeholder=" …")
    top = (_SIDE - _LINE * (len(lines) - 1)) / 2 + 9
    texts = "".join(
        f'<text x="{_SIDE / 2}" y="{top + _LINE * number}">{escape(line)}</text>' for number, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}" width="{_SIDE}" height="{_SIDE}">'
        f'<rect x="2" y="2" width="{_SIDE - 4}" height="{_SIDE - 4}" fill="none" stroke="{_COLOUR}" '
        f'stroke-width="2" stroke-dasharray="8 6"/><g fill="{_COLOUR}" font-family="system-ui, sans-serif" '
        f'font-size="28" text-anchor="middle">{texts}</g></svg>'
    )
