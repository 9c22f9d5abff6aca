"""The pictures of a folder as a page: each with its caption, and a list of what could be better."""

from __future__ import annotations

from lib_ti.data.dataset import Dataset, Item
from lib_ti.data.folder import natural_order
from lib_ti.training.run_plan import about_images
from lib_ti.ui.html.fragments import figure, findings, gallery
from lib_ti.ui.server.image_addresses import address
from lib_ti.wording import printable


def overview(found: Dataset) -> str:
    """Sums and problems."""
    return findings((finding.kind, finding.text) for finding in about_images(found))


def pictures(found: Dataset, used: Dataset) -> str:
    """All pictures with captions; marked are those held out, and those that are not ``used``, being excluded."""
    remarks = {item.path: "held out to measure with" for item in used.validation}
    remarks |= {item.path: "excluded" for item in set(found.all_items) - set(used.all_items)}
    items = sorted(found.all_items, key=lambda item: natural_order(found.folder, item.path))
    return gallery([_figure(item, remarks.get(item.path, "")) for item in items], "ti-dataset")


def _figure(item: Item, remark: str) -> str:
    width, height = item.source_size
    parts = [printable(item.name), f"{width}×{height}"]
    if item.caption_source == "name":
        parts.append("caption from the file name")
    if remark:
        parts.append(remark)
    return figure(
        item.path,
        item.caption or "(no caption)",
        detail=", ".join(parts),
        source=address(item.path),
        classes="ti-is-excluded" if remark == "excluded" else "",
    )
