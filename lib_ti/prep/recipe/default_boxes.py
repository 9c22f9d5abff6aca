"""Record of the default crop boxes that were found last, so that they are neither searched nor checked again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from lib_ti.config import PrepareConfig
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import crop_box_from_json, crop_box_to_json
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.storage.atomic import CannotWrite, write_text

_NAME = "crop_boxes.json"
_SETTINGS = ("width", "height", "shape", "framing", "split", "split_threshold", "split_overlap")
"""All settings that default crop boxes depend on."""


@dataclass(frozen=True)
class DefaultBoxes:
    """Default crop boxes by the SHA-256 of their images, for the settings that ``key`` stands for.

    ``digests`` are those SHA-256 by the images' names.
    """

    key: str = ""
    by_digest: Mapping[str, tuple[CropBox, ...]] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


def settings_key(values: Mapping[str, object]) -> str:
    """Hash the settings that default crop boxes depend on; other ones may be among the values."""
    relevant = [str(values.get(name, getattr(PrepareConfig, name))) for name in _SETTINGS]
    return hashlib.sha256("\n".join(relevant).encode()).hexdigest()[:32]


def write_default_boxes(folder: PreparedFolder, boxes: DefaultBoxes) -> None:
    """Write the record of a prepared folder. A failure is ignored: the boxes are only searched again."""
    listed = {digest: [crop_box_to_json(box) for box in found] for digest, found in boxes.by_digest.items()}
    content = {"key": boxes.key, "boxes": listed, "digests": dict(boxes.digests)}
    try:
        write_text(folder.inner / _NAME, json.dumps(content) + "\n")
    except (CannotWrite, OSError):
        return


def read_default_boxes(folder: PreparedFolder) -> DefaultBoxes:
    """Read the record of a prepared folder; empty where there is none, or it is damaged."""
    try:
        content = json.loads((folder.inner / _NAME).read_text(encoding="utf-8"))
        listed = content["boxes"].items()
        boxes = {str(digest): tuple(map(crop_box_from_json, found)) for digest, found in listed}
        digests = {str(name): str(digest) for name, digest in content["digests"].items()}
        return DefaultBoxes(str(content["key"]), boxes, digests)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return DefaultBoxes()
