"""The pictures of a folder as a page: each with its caption, and a list of what could be better."""

from __future__ import annotations

from lib_ti.data.dataset import Dataset, Item
from lib_ti.data.folder import natural_order
from lib_ti.ui.fragments import figure, findings, gallery
from lib_ti.ui.preflight import about_pictures
from lib_ti.ui.served import address
from lib_ti.wording import printable


def overview(found: Dataset) -> str:
    """Sums and problems."""
    return findings(about_pictures(found))


def pictures(found: Dataset) -> str:
    """The pictures with captions, those held out marked."""
    held_out = {item.path for item in found.held_out}
    items = sorted(found.all_items, key=lambda item: natural_order(found.folder, item.path))
    return gallery([_figure(item, item.path in held_out) for item in items], "ti-dataset")


def _figure(item: Item, held_out: bool) -> str:
    width, height = item.source_size
    parts = [printable(item.name), f"{width}×{height}"]
    if item.caption_source == "name":
        parts.append("caption from the file name")
    if held_out:
        parts.append("held out to measure with")
    return figure(item.path, item.caption or "(no caption)", detail=", ".join(parts), source=address(item.path))
