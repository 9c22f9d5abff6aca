"""What the step Cut shows: the pictures in a grid, on each its frames, which ``javascript/ti_frames.js`` moves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lib_ti.config import PrepareConfig
from lib_ti.data.buckets import buckets
from lib_ti.prep.crop_box import WHOLE, CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.recipe.result_specs import ResultSpec, specs_of
from lib_ti.ui.dataset.cut_work import Framed, FramedSet
from lib_ti.ui.html.fragments import answer, escape, file_name, findings, folded, hint, history
from lib_ti.ui.server.image_addresses import address

SHOWN = 512
"""Longest side in pixels at which the pictures are loaded."""
_SMALL = "Smaller than the training size: it is enlarged, which trains blur"
_KEYS = {
    "arrows": "move a frame (with Shift in small steps)",
    "+ −": "make it larger or smaller",
    "Tab": "go on to the next frame",
    "A": "add a frame",
    "Delete": "remove it",
    "D": "back to the default frame",
    "L": "exclude the image, or include it",
    "Ctrl+Z": "undo",
    "Ctrl+Shift+Z": "redo",
}
_SHORTLY = "ti-saved-now"
"""Has an answer shown for a moment at the window's edge too: the grid may be far from it."""


def grid(found: FramedSet, edits: Edits) -> str:
    """The pictures with their frames as they are decided now, and what cannot be used."""
    config = found.config
    sizes = buckets(config.width, config.height) if config.shape == "buckets" else ()
    cards = "".join(_card(one, edits.of(one.item.digest, one.name), config) for one in found.pictures)
    # Named anew each time: the same text as before would not replace what a page has made of it.
    return (
        f'<div class="ti-frames" data-source="{escape(Path(config.source))}" '
        f'data-folder="{escape(found.folder.path)}" data-shape="{config.shape}" '
        f'data-width="{config.width}" data-height="{config.height}" '
        f'data-buckets="{" ".join(f"{width}x{height}" for width, height in sizes)}" data-made="{time.time_ns()}">'
        f'{_help(config)}<div class="ti-frames-grid">{cards}</div>{_skipped(found)}</div>'
    )


def saved(number: str, edits: Edits, remark: str = "") -> str:
    """The answer to a page whose changes are kept."""
    decided = edits.describe()
    told = " ".join(part for part in ("Saved.", f"{decided}." if decided else "", remark) if part)
    return answer(number, hint(told), classes=_SHORTLY)


def not_saved(number: str, problem: str) -> str:
    return answer(number, problem, failed=True, classes=_SHORTLY)


def _help(config: PrepareConfig) -> str:
    about = {
        "crop": f"Frames have the shape of {config.width} × {config.height}.",
        "buckets": "Frames may have any shape and take that of the nearest bucket.",
        "keep": "Frames may have any shape.",
    }[config.shape]
    keys = "".join(f"<li><kbd>{escape(key)}</kbd> {escape(what)}</li>" for key, what in _KEYS.items())
    return (
        hint(
            f"Each frame becomes a picture to train on. Dashed frames are where Prepare would cut by itself: drag one "
            f"to move it, drag a corner to resize it, double click to add another. {about} All is kept at once."
        )
        + f'<details class="ti-notes"><summary>Keys</summary><ul class="ti-keys">{keys}</ul></details>'
        + f'<div class="ti-history" role="toolbar" aria-label="Frames">{history()}</div>'
    )


def _card(one: Framed, decided: ImageEdits, config: PrepareConfig) -> str:
    width, height = one.item.source_size
    name, excluded = escape(file_name(one.name)), decided.excluded
    default = ";".join(_numbers(frame) for frame in one.default)
    frames = "".join(_frame(wanted, name, not decided.crop_boxes) for wanted in _results(one, decided, config))
    return (
        f'<figure class="ti-card{" ti-left-out" if excluded else ""}" data-digest="{one.item.digest}" '
        f'data-name="{name}" data-default="{default}" data-width="{width}" data-height="{height}">'
        f'<div class="ti-stage"><div class="ti-cut" style="aspect-ratio:{width}/{height};--shape:{width / height:.4f}">'
        f'<img src="{escape(address(one.item.path, SHOWN))}" alt="{name}" loading="lazy" draggable="false">'
        f"{frames}</div></div>"
        f'<figcaption><span class="ti-name" title="{name}">{name}</span>'
        f'<span class="ti-hint">{width}×{height}</span></figcaption>{_buttons(excluded)}</figure>'
    )


def _results(one: Framed, decided: ImageEdits, config: PrepareConfig) -> Sequence[ResultSpec]:
    shown = replace(decided, crop_boxes=decided.crop_boxes or one.default)
    return list(specs_of(one.item, shown, replace(config, flip=False)))


def _frame(wanted: ResultSpec, name: str, default: bool) -> str:
    frame = wanted.crop_box or WHOLE
    across, down = wanted.crop_size
    small = f"×{wanted.factor:.3g}" if wanted.factor > 1 else ""
    classes = "ti-frame" + " ti-default" * default + " ti-small" * bool(small)
    place = ";".join(
        (
            f"left:{100 * frame.x:.4f}%",
            f"top:{100 * frame.y:.4f}%",
            f"width:{100 * frame.width:.4f}%",
            f"height:{100 * frame.height:.4f}%",
            f"z-index:{round(100 * (1 - frame.width * frame.height))}",  # the smaller one lies above
        )
    )
    return (
        f'<div class="{classes}" tabindex="0" role="group" aria-label="Frame on {name}, {across} by {down} pixels" '
        f'data-frame="{_numbers(frame)}" style="{place}">'
        f'<span class="ti-size">{across}×{down}<b title="{_SMALL}">{small}</b></span></div>'
    )


def _buttons(excluded: bool) -> str:
    # The keys do the same, so that Tab goes from frame to frame.
    labels = {"add": "Add frame", "default": "Default", "leave": "Include" if excluded else "Exclude"}
    made = "".join(
        f'<button type="button" data-do="{what}" tabindex="-1">{label}</button>' for what, label in labels.items()
    )
    return f'<div class="ti-card-buttons">{made}</div>'


def _numbers(frame: CropBox) -> str:
    return " ".join(f"{share:.6f}" for share in (frame.x, frame.y, frame.width, frame.height))


def _skipped(found: FramedSet) -> str:
    lines = findings(("warning", f"{one.shown} cannot be used: {one.reason}.") for one in found.skipped)
    return folded(f"Files that cannot be used ({len(found.skipped)})", lines)
