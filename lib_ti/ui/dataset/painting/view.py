"""HTML of an image to paint on, and of the row of images to choose from. ``javascript/ti_paint.js`` paints."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_ti.ui.dataset.painting.layer import key_of, shown_size
from lib_ti.ui.html.fragments import escape, file_name
from lib_ti.ui.html.tile import EXCLUDED_CLASS, EXCLUDED_MARK
from lib_ti.ui.server.image_addresses import address

Mode = Literal["remove", "mask"]
_TOOLS = {
    "remove": (
        ("brush", "Brush", "Paint over the area to remove (key B)"),
        ("eraser", "Eraser", "Erase paint (key E)"),
    ),
    "mask": (
        ("brush", "Exclude", "Paint the area to exclude from training (key B)"),
        ("eraser", "Include", "Paint the area to include in training (key E)"),
    ),
}
_ACTIONS = {
    "remove": (("clear", "Clear", "Erase all paint"),),
    "mask": (
        ("invert", "Invert", "Exchange the included and the excluded area"),
        ("clear", "Include all", "Erase all paint"),
    ),
}
_HISTORY = (
    '<button type="button" data-act="undo" title="Undo (Ctrl+Z)" disabled>Undo</button>'
    '<button type="button" data-act="redo" title="Redo (Ctrl+Shift+Z)" disabled>Redo</button>'
)
"""The page's script writes what they would undo: “Undo: stroke”."""
_BRUSH = (3, 160, 40)
"""Smallest, largest and initial diameter in screen pixels."""
_ZOOM = (1, 8)
_PAINTING = "Paint with the pointer, or with the arrow keys and the space bar"
KEYS = {
    "[ ]": "Smaller or larger brush",
    "B E": "Brush or eraser; in Masks, exclude or include",
    "+ −": "Zoom in or out",
    "P N": "Previous or next image; on the image also Page Up and Page Down",
    "Ctrl+Z": "Undo the last stroke; in Remove, then the last fill; in Masks, also on another image",
    "Ctrl+Shift+Z": "Redo; also Ctrl+Y",
    "Arrows": "On the image: move the brush; with Shift in small steps, with the space bar held to paint",
}
"""What the keys do in an open step, while no field has the focus."""


@dataclass(frozen=True)
class PaintableImage:
    """An image to choose, by its path relative to the folder.

    ``note`` says in one or two words what was done to it; ``excluded`` images are not prepared.
    """

    path: Path
    relative: str
    note: str = ""
    excluded: bool = False

    @property
    def name(self) -> str:
        """Its name on the page."""
        return file_name(self.relative)


@dataclass(frozen=True)
class Stage:
    """An image to paint on.

    ``now`` is its address, ``before`` that of the original to compare with, where there is one, and ``overlaid`` that
    of the image with its mask over it, for pages without the script. ``size`` is the image's own. ``can_undo`` and
    ``can_redo`` are about fills; the page knows its own strokes. ``mask`` changes with the image's saved mask.
    """

    path: Path
    size: tuple[int, int]
    mode: Mode
    now: str
    before: str = ""
    overlaid: str = ""
    note: str = ""
    excluded: bool = False
    can_undo: bool = False
    can_redo: bool = False
    mask: str = ""

    @property
    def key(self) -> str:
        return key_of(self.path)


def row(images: Sequence[PaintableImage], goto: str) -> str:
    """Thumbnails of all images in a row; a click on one puts its name, after the time, into the field ``goto``."""
    thumbs = "".join(_thumb(one) for one in images)
    return f'<div class="ti-row" data-goto="{goto}" role="listbox" aria-label="Images">{thumbs}</div>' if thumbs else ""


def _thumb(one: PaintableImage) -> str:
    name = escape(one.name)
    classes, label = (f"ti-thumb {EXCLUDED_CLASS}", EXCLUDED_MARK) if one.excluded else ("ti-thumb", "")
    return (
        f'<button type="button" class="{classes}" role="option" tabindex="-1" data-key="{key_of(one.path)}" '
        f'data-name="{name}" title="{name}"><img src="{escape(address(one.path))}" alt="no image" loading="lazy">'
        f"<span>{name}</span>{label}<b>{escape(one.note)}</b></button>"
    )


def stage(shown: Stage, field: str) -> str:
    """The image with its tools; the painted layer goes into the text field ``field``."""
    width, height = shown_size(shown.size)
    name = escape(file_name(shown.path))
    layers = "".join(
        f'<img class="{kind}" src="{escape(source)}" alt="{name}" draggable="false">'
        for kind, source in (("ti-now", shown.now), ("ti-before", shown.before), ("ti-overlaid", shown.overlaid))
        if source
    )
    # With a new version each time: equal HTML would not replace an image that was painted on since.
    return (
        f'<div class="ti-paint" data-mode="{shown.mode}" data-key="{shown.key}" data-version="{time.time_ns()}" '
        f'data-field="{field}" data-fills="{_yes(shown.can_undo)}" data-refills="{_yes(shown.can_redo)}" '
        f'data-note="{escape(shown.note)}" data-mask="{shown.mask}" '
        f'style="--shape:{width / height:.5f}">{_heading(shown)}{_tools(shown.mode)}'
        f'<div class="ti-view"><div class="ti-image" style="aspect-ratio:{width}/{height}">{layers}'
        f'<canvas width="{width}" height="{height}" tabindex="0" role="img" aria-label="{name}. {_PAINTING}."></canvas>'
        f'<span class="ti-ring"></span></div></div>{_compare() if shown.before else ""}</div>'
    )


def _heading(shown: Stage) -> str:
    width, height = shown.size
    return (
        f'<p class="ti-hint ti-heading"><b>{escape(file_name(shown.path))}</b> {width}×{height} '
        f'{EXCLUDED_MARK if shown.excluded else ""} <span class="ti-note">{escape(shown.note)}</span></p>'
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
        f'</label>{actions}<span class="ti-ends">{_HISTORY}</span></div>'
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _compare() -> str:
    return (
        '<label class="ti-compare">Now <input type="range" data-paint="before" min="0" max="100" value="0" '
        'aria-label="Part of the image that shows the original"> Before</label>'
    )
