"""Manual decisions about each image: excluded, crop boxes, removed regions. Plain values, and the same as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lib_ti.data.preparations import renamed_keys
from lib_ti.prep.crop_box import CropBox


@dataclass(frozen=True)
class RemovedRegion:
    """A region that was painted over and inpainted; its pixels are in the patch file named ``patch``.

    ``box`` is left, top, right and bottom in pixels of the whole image. ``prompt``, ``seed`` and ``model`` are set
    where a model inpainted it.
    """

    patch: str
    box: tuple[int, int, int, int]
    method: str
    prompt: str = ""
    seed: int = 0
    model: str = ""


@dataclass(frozen=True)
class ImageEdits:
    """Decisions about one image. Without ``crop_boxes`` the default one is used; of ``removed_regions``, the last lies
    on top."""

    name: str
    excluded: bool = False
    crop_boxes: tuple[CropBox, ...] = ()
    removed_regions: tuple[RemovedRegion, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.excluded or self.crop_boxes or self.removed_regions)

    @property
    def key(self) -> str:
        """Hash of the crop boxes and removed regions, empty without any."""
        if not (self.crop_boxes or self.removed_regions):
            return ""
        parts = [crop_box_to_json(box) for box in self.crop_boxes], [one.patch for one in self.removed_regions]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Edits:
    """Decisions by the SHA-256 of the image file, so that they follow a renamed file and apply to no other one."""

    by_digest: Mapping[str, ImageEdits] = field(default_factory=dict)

    def of(self, digest: str, name: str) -> ImageEdits:
        """Return the decisions about an image; empty ones where none were made."""
        return replace(self.by_digest.get(digest, ImageEdits(name)), name=name)

    def with_image(self, digest: str, edits: ImageEdits) -> Edits:
        others = {key: value for key, value in self.by_digest.items() if key != digest}
        return Edits(others if edits.empty else {**others, digest: edits})

    def describe(self) -> str:
        """Return a summary such as "2 images excluded, 1 cropped by hand"; empty where nothing was decided."""
        decided = self.by_digest.values()
        numbers = (
            (sum(one.excluded for one in decided), "excluded"),
            (sum(bool(one.crop_boxes) for one in decided), "cropped by hand"),
            (sum(bool(one.removed_regions) for one in decided), "with regions removed"),
        )
        summary = ", ".join(f"{number} {what}" for number, what in numbers if number)
        return summary.replace(" ", " image " if summary.startswith("1 ") else " images ", 1)


def to_json(edits: Edits) -> dict[str, Any]:
    return {
        digest: {
            "name": one.name,
            "excluded": one.excluded,
            "crop_boxes": [crop_box_to_json(box) for box in one.crop_boxes],
            "removed_regions": [region_to_json(region) for region in one.removed_regions],
        }
        for digest, one in edits.by_digest.items()
    }


def from_json(content: Mapping[str, Any]) -> Edits:
    """Reverse :func:`to_json`, also for files of earlier versions.

    Raises
    ------
    KeyError, TypeError, ValueError
        When the content is anything else.
    """
    return Edits({digest: _image_from_json(renamed_keys(one)) for digest, one in content.items()})


def crop_box_to_json(box: CropBox) -> list[float]:
    return [box.x, box.y, box.width, box.height]


def crop_box_from_json(content: Any) -> CropBox:
    x, y, width, height = (float(value) for value in content)
    return CropBox(x, y, width, height)


def _image_from_json(content: Mapping[str, Any]) -> ImageEdits:
    return ImageEdits(
        str(content["name"]),
        bool(content["excluded"]),
        tuple(crop_box_from_json(box) for box in content["crop_boxes"]),
        tuple(region_from_json(one) for one in content["removed_regions"]),
    )


def region_to_json(region: RemovedRegion) -> dict[str, Any]:
    return {**vars(region), "box": list(region.box)}


def region_from_json(content: Mapping[str, Any]) -> RemovedRegion:
    """Reverse :func:`region_to_json`; raises as :func:`from_json`."""
    left, top, right, bottom = (int(border) for border in content["box"])
    patch = str(content["patch"])
    if not patch.isalnum():  # it becomes part of a path
        raise ValueError(f"{patch!r} is not the name of a patch")
    return RemovedRegion(
        patch,
        (left, top, right, bottom),
        str(content["method"]),
        str(content["prompt"]),
        int(content["seed"]),
        str(content["model"]),
    )
