"""HTML of the step Crop: the images in a grid with their crop boxes, which ``javascript/ti_crop.js`` moves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lib_ti.config import PrepareConfig
from lib_ti.data.images.buckets import buckets
from lib_ti.prep.crop_box import WHOLE, CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.recipe.result_specs import ResultSpec, specs_of
from lib_ti.ui.dataset.crop.state import FolderCrops, ImageCrops
from lib_ti.ui.html.fragments import answer, escape, file_name, findings, folded, hint, history, keys
from lib_ti.ui.html.tile import EXCLUDED_CLASS, EXCLUDED_MARK
from lib_ti.ui.server.image_addresses import address

SHOWN = 512
"""Longest side in pixels at which the images are loaded."""
_SMALL = "Smaller than the training size: upscaling it trains blur"
_KEYS = {
    "arrows": "move a crop box (with Shift in small steps)",
    "+ −": "make it larger or smaller",
    "Tab": "go to the next crop box",
    "A": "add a crop box",
    "Delete": "delete it",
    "D": "reset to the default crop box",
    "L": "exclude the image, or include it",
    "Ctrl+Z": "undo",
    "Ctrl+Shift+Z": "redo",
}
_TOAST = "ti-saved-now"
"""Shows an answer briefly at the window's edge too, since the grid may be far from it."""


def grid(crops: FolderCrops, edits: Edits) -> str:
    """The images with their present crop boxes, and the files that cannot be used."""
    config = crops.config
    sizes = buckets(config.width, config.height) if config.shape == "buckets" else ()
    cards = "".join(_card(one, edits.of(one.item.digest, one.name), config) for one in crops.images)
    # With a new version each time: equal HTML would not replace what a page has changed in its own.
    return (
        f'<div class="ti-crop-boxes" data-source="{escape(Path(config.source))}" '
        f'data-folder="{escape(crops.folder.path)}" data-shape="{config.shape}" '
        f'data-width="{config.width}" data-height="{config.height}" '
        f'data-buckets="{" ".join(f"{width}x{height}" for width, height in sizes)}" data-version="{time.time_ns()}">'
        f'{_help(config)}<div class="ti-crop-grid">{cards}</div>{_skipped(crops)}</div>'
    )


def saved(number: str, edits: Edits, remark: str = "") -> str:
    """The answer to a page whose changes are saved."""
    decided = edits.describe()
    message = " ".join(part for part in ("Saved.", f"{decided}." if decided else "", remark) if part)
    return answer(number, hint(message), classes=_TOAST)


def not_saved(number: str, problem: str) -> str:
    return answer(number, problem, failed=True, classes=_TOAST)


def _help(config: PrepareConfig) -> str:
    about = {
        "crop": f"Crop boxes have the shape of {config.width} × {config.height}.",
        "buckets": "Crop boxes may have any shape, and become the shape of the nearest bucket.",
        "keep": "Crop boxes may have any shape.",
    }[config.shape]
    return (
        hint(
            "Each crop box becomes a training image. Dashed boxes are where Prepare would crop by default: drag a box "
            f"to move it, drag a corner to resize it, double-click to add another. {about} Changes are saved at once."
        )
        + keys(_KEYS)
        + f'<div class="ti-history" role="toolbar" aria-label="Crop boxes">{history()}</div>'
    )


def _card(one: ImageCrops, decided: ImageEdits, config: PrepareConfig) -> str:
    width, height = one.item.source_size
    name, excluded = escape(file_name(one.name)), decided.excluded
    default = ";".join(_numbers(box) for box in one.default)
    boxes = "".join(_crop_box(spec, name, not decided.crop_boxes) for spec in _specs(one, decided, config))
    return (
        f'<figure class="ti-card{f" {EXCLUDED_CLASS}" if excluded else ""}" data-digest="{one.item.digest}" '
        f'data-name="{name}" data-default="{default}" data-width="{width}" data-height="{height}">'
        f'<div class="ti-stage"><div class="ti-crop-image" '
        f'style="aspect-ratio:{width}/{height};--shape:{width / height:.4f}">'
        f'<img src="{escape(address(one.item.path, SHOWN))}" alt="{name}" loading="lazy" draggable="false">'
        f"{boxes}</div>{EXCLUDED_MARK}</div>"
        f'<figcaption><span class="ti-name" title="{name}">{name}</span>'
        f'<span class="ti-hint">{width}×{height}</span></figcaption>{_buttons(excluded)}</figure>'
    )


def _specs(one: ImageCrops, decided: ImageEdits, config: PrepareConfig) -> Sequence[ResultSpec]:
    shown = replace(decided, crop_boxes=decided.crop_boxes or one.default)
    return list(specs_of(one.item, shown, replace(config, flip=False)))


def _crop_box(spec: ResultSpec, name: str, default: bool) -> str:
    box = spec.crop_box or WHOLE
    across, down = spec.crop_size
    small = f"×{spec.factor:.3g}" if spec.factor > 1 else ""
    classes = "ti-crop-box" + " ti-default" * default + " ti-upscaled" * bool(small)
    place = ";".join(
        (
            f"left:{100 * box.x:.4f}%",
            f"top:{100 * box.y:.4f}%",
            f"width:{100 * box.width:.4f}%",
            f"height:{100 * box.height:.4f}%",
            f"z-index:{round(100 * (1 - box.width * box.height))}",  # smaller boxes are on top
        )
    )
    return (
        f'<div class="{classes}" tabindex="0" role="group" aria-label="Crop box on {name}, {across} by {down} pixels" '
        f'data-box="{_numbers(box)}" style="{place}">'
        f'<span class="ti-size">{across}×{down}<b title="{_SMALL}">{small}</b></span></div>'
    )


def _buttons(excluded: bool) -> str:
    # The keys do the same, so Tab only goes from crop box to crop box.
    labels = {"add": "Add box", "default": "Default", "exclude": "Include" if excluded else "Exclude"}
    buttons = "".join(
        f'<button type="button" data-do="{what}" tabindex="-1">{label}</button>' for what, label in labels.items()
    )
    return f'<div class="ti-card-buttons">{buttons}</div>'


def _numbers(box: CropBox) -> str:
    return " ".join(f"{value:.6f}" for value in (box.x, box.y, box.width, box.height))


def _skipped(crops: FolderCrops) -> str:
    lines = findings(("warning", f"{one.shown} cannot be used: {one.reason}.") for one in crops.skipped)
    return folded(f"Files that cannot be used ({len(crops.skipped)})", lines)
