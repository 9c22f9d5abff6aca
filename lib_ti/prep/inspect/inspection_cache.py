"""Cache of measures in one file of JSON lines, by the images' content."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_ti.prep.inspect.duplicates import SIDE
from lib_ti.prep.inspect.measures import VERSION, Measures
from lib_ti.storage.atomic import CannotWrite, append_text

_MOST_BYTES = 256 << 20
"""About 100,000 images; a larger file is deleted and started again."""
_LINES_PER_WRITE = 32


@dataclass(frozen=True)
class ContentMeasures:
    """Everything measured that depends on an image's content alone.

    ``size`` is (width, height) after the EXIF rotation; ``transparent`` says whether any pixel is. ``levels`` are the
    32 × 32 grey levels by which near-duplicates are found.
    """

    size: tuple[int, int]
    transparent: bool
    several_frames: bool
    measures: Measures
    levels: bytes


class InspectionCache:
    """Measures that are kept in a folder, or only in memory where the folder is None.

    A failure to write never ends the work: the first is put into ``problem`` as a sentence, and nothing more is
    written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / f"measures-{VERSION}.jsonl"
        self._lines: list[str] = []
        self._content = {} if self._path is None else _read(self._path)
        self.problem = ""

    def find(self, digest: str) -> ContentMeasures | None:
        return self._content.get(digest)

    def add(self, digest: str, content: ContentMeasures) -> None:
        if digest not in self._content:
            self._content[digest] = content
            self._lines.append(json.dumps({"digest": digest, **_to_mapping(content)}, separators=(",", ":")) + "\n")
            if len(self._lines) >= _LINES_PER_WRITE:
                self.flush()

    def flush(self) -> None:
        """Write what was added."""
        lines, self._lines = self._lines, []
        if self._path is None or not lines or self.problem:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > _MOST_BYTES:
                self._path.unlink()
            append_text(self._path, "".join(lines))
        except (CannotWrite, OSError) as error:
            reason = str(error) if isinstance(error, CannotWrite) else f"{self._path} cannot be written: {error}."
            self.problem = f"The measures are not saved, so the next inspection takes as long: {reason}"


def _read(path: Path) -> dict[str, ContentMeasures]:
    """Read all whole entries; lines that are damaged, or cut off by a killed program, are ignored."""
    found = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    for line in lines:
        try:
            values = json.loads(line)
            found[str(values["digest"])] = _from_mapping(values)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def _to_mapping(content: ContentMeasures) -> dict[str, Any]:
    return {
        "size": content.size,
        "transparent": content.transparent,
        "several_frames": content.several_frames,
        "measures": content.measures.as_mapping(),
        "levels": base64.b64encode(content.levels).decode(),
    }


def _from_mapping(values: dict[str, Any]) -> ContentMeasures:
    width, height = values["size"]
    levels = base64.b64decode(values["levels"], validate=True)
    if len(levels) != SIDE * SIDE:
        raise ValueError("not the grey levels of an image")
    return ContentMeasures(
        (int(width), int(height)),
        bool(values["transparent"]),
        bool(values["several_frames"]),
        Measures.from_mapping(values["measures"]),
        levels,
    )
