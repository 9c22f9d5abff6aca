"""A picture to paint on, and the row of pictures to choose from. ``javascript/ti_paint.js`` does the painting."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_ti.ui.dataset.painted import key_of, shown_size
from lib_ti.ui.html.fragments import escape, file_name, history
from lib_ti.ui.server.image_addresses import address

Mode = Literal["erase", "mask"]
_TOOLS = {
    "erase": (("brush", "Brush", "Paint over what is to go (B)"), ("rubber", "Rubber", "Take paint away (E)")),
    "mask": (
        ("brush", "Does not count", "Paint what is not to be learned (B)"),
        ("rubber", "Counts", "Paint what is to be learned (E)"),
    ),
}
_ACTIONS = {
    "erase": (("clear", "Clear", "Take all paint away"),),
    "mask": (
        ("invert", "Invert", "Exchange what counts and what does not"),
        ("clear", "All counts", "Take all paint away"),
    ),
}
_EXCLUDED = '<i class="ti-excluded" title="Prepare does not use this image">excluded</i>'
_BRUSH = (3, 160, 40)
"""Least, largest and first diameter in pixels of the screen."""
_ZOOM = (1, 8)
_KEYS = "Paint with the pointer, or with the arrow keys and the space bar. [ and ] change the brush."


@dataclass(frozen=True)
class Choosable:
    """A picture to choose by its path from the folder.

    ``note`` says in a word or two what was done to it, ``excluded`` that it is not used.
    """

    path: Path
    relative: str
    note: str = ""
    excluded: bool = False

    @property
    def name(self) -> str:
        """What the page calls it."""
        return file_name(self.relative)


@dataclass(frozen=True)
class Stage:
    """A picture to paint on.

    ``now`` is where the page finds it; ``before`` what it was, where that can be compared, and ``overlaid`` the picture
    with the mask over it, for pages without the script. ``size`` is the picture's own.
    """

    picture: Path
    size: tuple[int, int]
    mode: Mode
    now: str
    before: str = ""
    overlaid: str = ""
    note: str = ""
    excluded: bool = False

    @property
    def key(self) -> str:
        return key_of(self.picture)


def row(pictures: Sequence[Choosable], goto: str) -> str:
    """All pictures, small, side by side; a press on one puts its name into the field ``goto``."""
    thumbs = "".join(_thumb(one) for one in pictures)
    return (
        f'<div class="ti-row" data-goto="{goto}" role="listbox" aria-label="Pictures">{thumbs}</div>' if thumbs else ""
    )


def _thumb(one: Choosable) -> str:
    name = escape(one.name)
    classes, issue = ("ti-thumb ti-left-out", _EXCLUDED) if one.excluded else ("ti-thumb", "")
    return (
        f'<button type="button" class="{classes}" role="option" tabindex="-1" data-key="{key_of(one.path)}" '
        f'data-name="{name}" title="{name}"><img src="{escape(address(one.path))}" alt="no picture" loading="lazy">'
        f"<span>{name}</span>{issue}<b>{escape(one.note)}</b></button>"
    )


def stage(shown: Stage, field: str) -> str:
    """The picture with its tools; what is painted goes into the text field ``field``."""
    width, height = shown_size(shown.size)
    name = escape(file_name(shown.picture))
    layers = "".join(
        f'<img class="{kind}" src="{escape(source)}" alt="{name}" draggable="false">'
        for kind, source in (("ti-now", shown.now), ("ti-before", shown.before), ("ti-overlaid", shown.overlaid))
        if source
    )
    # Named anew each time: the same text as before would not replace a picture whose mask was painted since.
    return (
        f'<div class="ti-paint" data-mode="{shown.mode}" data-key="{shown.key}" data-made="{time.time_ns()}" '
        f'data-field="{field}" '
        f'data-note="{escape(shown.note)}" style="--shape:{width / height:.5f}">{_heading(shown)}{_tools(shown.mode)}'
        f'<div class="ti-view"><div class="ti-picture" style="aspect-ratio:{width}/{height}">{layers}'
        f'<canvas width="{width}" height="{height}" tabindex="0" role="img" aria-label="{name}. {_KEYS}"></canvas>'
        f'<span class="ti-ring"></span></div></div>{_compare() if shown.before else ""}</div>'
    )


def _heading(shown: Stage) -> str:
    width, height = shown.size
    return (
        f'<p class="ti-hint ti-heading"><b>{escape(file_name(shown.picture))}</b> {width}×{height} '
        f'{_EXCLUDED if shown.excluded else ""} <span class="ti-note">{escape(shown.note)}</span></p>'
    )


def _tools(mode: Mode) -> str:
    tools = "".join(
        f'<button type="button" data-tool="{kind}" aria-pressed="{"true" if number == 0 else "false"}" '
        f'title="{escape(title)}">{escape(label)}</button>'
        for number, (kind, label, title) in enumerate(_TOOLS[mode])
    )
    actions = "".join(
        f'<button type="button" data-act="{kind}" title="{escape(title)}">{escape(label)}</button>'
        for kind, label, title in _ACTIONS[mode]
    )
    least, most, first = _BRUSH
    return (
        f'<div class="ti-tools" role="toolbar" aria-label="Painting"><span class="ti-joined">{tools}</span>'
        f'<label>Size <input type="range" data-paint="size" min="{least}" max="{most}" value="{first}"></label>'
        f'<label>Zoom <input type="range" data-paint="zoom" min="{_ZOOM[0]}" max="{_ZOOM[1]}" step="0.25" value="1">'
        f"</label>{history(' stroke')}{actions}</div>"
    )


def _compare() -> str:
    return (
        '<label class="ti-compare">Now <input type="range" data-paint="before" min="0" max="100" value="0" '
        'aria-label="How much of the picture is shown as it was before"> Before</label>'
    )
