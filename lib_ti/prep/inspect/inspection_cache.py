"""What is known of pictures that were looked at before, in one file of JSON lines, found by the pictures' content."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_ti.atomic import CannotWrite, append_text
from lib_ti.prep.inspect.duplicates import SIDE
from lib_ti.prep.inspect.measures import VERSION, Measures

_LARGEST = 256 << 20
"""Bytes, some 100,000 pictures: then the file is begun anew."""
_AT_ONCE = 32


@dataclass(frozen=True)
class Known:
    """What depends on a picture's content alone.

    ``size`` is (width, height) as the picture is seen, ``transparent`` whether anything shows through it. ``levels``
    are the 32 × 32 grey levels by which near-duplicates are found.
    """

    size: tuple[int, int]
    transparent: bool
    several_frames: bool
    measures: Measures
    levels: bytes


class LookFiles:
    """Remembers in a folder, or not at all where the folder is None.

    Trouble with writing never ends the work: the first is put into ``trouble`` as a sentence, and no more is written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / f"looks-{VERSION}.jsonl"
        self._lines: list[str] = []
        self._known = {} if self._path is None else _read(self._path)
        self.trouble = ""

    def find(self, digest: str) -> Known | None:
        return self._known.get(digest)

    def add(self, digest: str, known: Known) -> None:
        if digest not in self._known:
            self._known[digest] = known
            self._lines.append(json.dumps({"digest": digest, **_to_mapping(known)}, separators=(",", ":")) + "\n")
            if len(self._lines) >= _AT_ONCE:
                self.flush()

    def flush(self) -> None:
        """Write what was added."""
        lines, self._lines = self._lines, []
        if self._path is None or not lines or self.trouble:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > _LARGEST:
                self._path.unlink()
            append_text(self._path, "".join(lines))
        except (CannotWrite, OSError) as error:
            reason = str(error) if isinstance(error, CannotWrite) else f"{self._path} cannot be written: {error}."
            self.trouble = f"What was seen is not kept, and the next look takes as long: {reason}"


def _read(path: Path) -> dict[str, Known]:
    """All whole entries; a line that was cut short by the end of a program, or damaged, is passed over."""
    known = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    for line in lines:
        try:
            values = json.loads(line)
            known[str(values["digest"])] = _from_mapping(values)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return known


def _to_mapping(known: Known) -> dict[str, Any]:
    return {
        "size": known.size,
        "transparent": known.transparent,
        "several_frames": known.several_frames,
        "measures": known.measures.as_mapping(),
        "levels": base64.b64encode(known.levels).decode(),
    }


def _from_mapping(values: dict[str, Any]) -> Known:
    width, height = values["size"]
    levels = base64.b64decode(values["levels"], validate=True)
    if len(levels) != SIDE * SIDE:
        raise ValueError("not the grey levels of a picture")
    return Known(
        (int(width), int(height)),
        bool(values["transparent"]),
        bool(values["several_frames"]),
        Measures.from_mapping(values["measures"]),
        levels,
    )
