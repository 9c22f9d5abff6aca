"""Crop boxes as lines of text, one per image: to read, copy and edit by hand or by another program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lib_ti.errors import BadInput
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.ui.dataset.crop.state import FolderCrops, ImageCrops
from lib_ti.ui.html.fragments import file_name
from lib_ti.wording import quoted

EXCLUDED = "excluded"
DEFAULT = "# "
"""Prefix of the line of an image without decisions."""
_COUNT = 4


def write(crops: FolderCrops, edits: Edits) -> str:
    """Return lines ``name: left top width height``, in pixels; several boxes are separated by semicolons."""
    lines = []
    for one in crops.images:
        decided = edits.of(one.item.digest, one.name)
        parts = [EXCLUDED] if decided.excluded else []
        # Default boxes are written too: they show the image's name, and are something to start from.
        boxes = decided.crop_boxes or (() if decided.excluded else one.default)
        parts += [_numbers(box, one.item.source_size) for box in boxes]
        prefix = DEFAULT if not (decided.excluded or decided.crop_boxes) else ""
        lines.append(f"{prefix}{file_name(one.name)}: {'; '.join(parts)}")
    return "\n".join(lines)


def read(text: str, crops: FolderCrops, edits: Edits) -> dict[str, ImageEdits]:
    """Return decisions by digest. Images without a line are not among them; a line after ``#`` resets its image.

    Raises
    ------
    BadInput
        With every line that is not valid.
    """
    names = {file_name(one.name): one for one in crops.images}
    decisions: dict[str, ImageEdits] = {}
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            one, parts = _split(line, names)
            before = edits.of(one.item.digest, one.name)
            decisions[one.item.digest] = _decision(one, parts, before.crop_boxes)
        except ValueError as error:
            problems.append(f"Line {number}: {error}")
    if problems:
        raise BadInput(problems)
    return decisions


def _split(line: str, names: Mapping[str, ImageCrops]) -> tuple[ImageCrops, list[str] | None]:
    """Return the image of a line, and its boxes; None for an image without decisions."""
    line = line.strip()
    name, _, rest = line.rpartition(":")
    parts = [part.strip() for part in rest.split(";") if part.strip()]
    if name.strip() in names:
        return names[name.strip()], parts
    if line.startswith(DEFAULT) and name[len(DEFAULT) :].strip() in names:
        return names[name[len(DEFAULT) :].strip()], None
    if not name:
        raise ValueError(f"{quoted(line)} has no colon; write an image's name, a colon, and left top width height.")
    raise ValueError(f"there is no image {quoted(name.strip())} in the source folder; check its name.")


def _decision(one: ImageCrops, parts: Sequence[str] | None, before: Sequence[CropBox]) -> ImageEdits:
    if parts is None:
        return ImageEdits(one.name)
    boxes = tuple(_crop_box(part, one, before) for part in parts if part.lower() != EXCLUDED)
    return ImageEdits(one.name, len(boxes) < len(parts), boxes)


def _crop_box(text: str, one: ImageCrops, before: Sequence[CropBox]) -> CropBox:
    width, height = one.item.source_size
    numbers = text.replace(",", " ").split()
    if len(numbers) != _COUNT or not all(re.fullmatch(r"-?\d+", number) for number in numbers):
        raise ValueError(
            f"{quoted(text)} is not a crop box; write left top width height in whole pixels, or {EXCLUDED}."
        )
    left, top, across, down = (int(number) for number in numbers)
    if min(left, top) < 0 or min(across, down) < 1 or left + across > width or top + down > height:
        raise ValueError(f"the crop box {text} is not within {file_name(one.name)}, which is {width}×{height}.")
    for box in before:
        # Equal pixels keep the present box, whose borders may lie between pixels.
        if box.pixels((width, height)) == (left, top, left + across, top + down):
            return box
    return CropBox(left / width, top / height, across / width, down / height)


def _numbers(box: CropBox, size: tuple[int, int]) -> str:
    left, top, right, bottom = box.pixels(size)
    return f"{left} {top} {right - left} {bottom - top}"
