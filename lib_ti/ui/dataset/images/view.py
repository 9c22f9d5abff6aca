"""The images of a folder as HTML: each with its caption, and what could be improved."""

from __future__ import annotations

from lib_ti.data.dataset import Dataset, Item
from lib_ti.data.folder import natural_order
from lib_ti.training.run_plan import about_images
from lib_ti.ui.html.fragments import figure, findings, gallery
from lib_ti.ui.server.image_addresses import address
from lib_ti.wording import printable


def overview(dataset: Dataset) -> str:
    """Totals and problems of a dataset."""
    return findings((finding.kind, finding.text) for finding in about_images(dataset))


def images(dataset: Dataset, used: Dataset) -> str:
    """All images with their captions. Those for validation and those not ``used``, being excluded, are marked."""
    remarks = {item.path: "for validation" for item in used.validation}
    remarks |= {item.path: "excluded" for item in set(dataset.all_items) - set(used.all_items)}
    items = sorted(dataset.all_items, key=lambda item: natural_order(dataset.folder, item.path))
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
