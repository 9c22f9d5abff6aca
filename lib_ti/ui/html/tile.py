"""Images in galleries and lists: the mark of an excluded one, and the placeholder of one that cannot be shown."""

from __future__ import annotations

import textwrap

from lib_ti.ui.html.fragments import escape

EXCLUDED_CLASS = "ti-is-excluded"
"""Class of the element of an excluded image, which is paler than the others."""
EXCLUDED_MARK = '<i class="ti-excluded" title="Neither prepared nor trained">excluded</i>'
"""Label on an excluded image, also for screen readers."""
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
