"""Frames as lines of text, one for each picture: to be read, copied, and written by hand or by another program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lib_ti.errors import BadInput
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.ui.dataset.cut_work import Framed, FramedSet
from lib_ti.ui.html.fragments import file_name
from lib_ti.wording import quoted

LEFT_OUT = "excluded"
DEFAULT = "# "
"""Begins the line of a picture that nothing was decided about."""
_COUNT = 4


def write_lines(found: FramedSet, edits: Edits) -> str:
    """``name: left top width height``, in pixels; several frames are divided by semicolons."""
    lines = []
    for one in found.pictures:
        decided = edits.of(one.item.digest, one.name)
        parts = [LEFT_OUT] if decided.excluded else []
        # Default frames are shown as well: they say what the picture is called, and are a beginning.
        frames = decided.crop_boxes or (() if decided.excluded else one.default)
        parts += [_numbers(frame, one.item.source_size) for frame in frames]
        begin = DEFAULT if not (decided.excluded or decided.crop_boxes) else ""
        lines.append(f"{begin}{file_name(one.name)}: {'; '.join(parts)}")
    return "\n".join(lines)


def read_lines(text: str, found: FramedSet, edits: Edits) -> dict[str, ImageEdits]:
    """Decisions by digest; pictures without a line are not among them, and a line after ``#`` decides nothing any more.

    Raises
    ------
    BadInput
        With every line that cannot be understood.
    """
    names = {file_name(one.name): one for one in found.pictures}
    decisions: dict[str, ImageEdits] = {}
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            one, parts = _picture(line, names)
            before = edits.of(one.item.digest, one.name)
            decisions[one.item.digest] = _decision(one, parts, before.crop_boxes)
        except ValueError as error:
            problems.append(f"Line {number}: {error}")
    if problems:
        raise BadInput(problems)
    return decisions


def _picture(line: str, names: Mapping[str, Framed]) -> tuple[Framed, list[str] | None]:
    """Whose line it is, and its parts; None for a picture without decisions."""
    line = line.strip()
    name, _, rest = line.rpartition(":")
    parts = [part.strip() for part in rest.split(";") if part.strip()]
    if name.strip() in names:
        return names[name.strip()], parts
    if line.startswith(DEFAULT) and name[len(DEFAULT) :].strip() in names:
        return names[name[len(DEFAULT) :].strip()], None
    if not name:
        raise ValueError(f"{quoted(line)} has no colon; write a picture's name, a colon, and left top width height.")
    raise ValueError(f"there is no picture {quoted(name.strip())} in the source folder; check its name.")


def _decision(one: Framed, parts: Sequence[str] | None, before: Sequence[CropBox]) -> ImageEdits:
    if parts is None:
        return ImageEdits(one.name)
    frames = tuple(_frame(part, one, before) for part in parts if part.lower() != LEFT_OUT)
    return ImageEdits(one.name, len(frames) < len(parts), frames)


def _frame(text: str, one: Framed, before: Sequence[CropBox]) -> CropBox:
    width, height = one.item.source_size
    numbers = text.replace(",", " ").split()
    if len(numbers) != _COUNT or not all(re.fullmatch(r"-?\d+", number) for number in numbers):
        raise ValueError(f"{quoted(text)} is no frame; write left top width height in whole pixels, or {LEFT_OUT}.")
    left, top, across, down = (int(number) for number in numbers)
    if min(left, top) < 0 or min(across, down) < 1 or left + across > width or top + down > height:
        raise ValueError(f"the frame {text} is not within {file_name(one.name)}, which is {width}×{height}.")
    for frame in before:
        # The same pixels stay the same frame, which may lie between pixels.
        if frame.pixels((width, height)) == (left, top, left + across, top + down):
            return frame
    return CropBox(left / width, top / height, across / width, down / height)


def _numbers(frame: CropBox, size: tuple[int, int]) -> str:
    left, top, right, bottom = frame.pixels(size)
    return f"{left} {top} {right - left} {bottom - top}"
