"""Record of a folder's captioning, so that a second call continues where the first stopped.

One JSON object a line, appended before the caption itself is written: a program that is killed in between leaves a
record of what it was about to write, and never a caption that the next call mistakes for the user's own.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lib_ti.storage import atomic

RECORD = ".captions.jsonl"


@dataclass(frozen=True)
class RecordedCaption:
    """A caption that was written for an image.

    ``image`` is its file name and ``digest`` the SHA-256 of its file; ``settings`` is a hash of everything else that
    the caption depends on. ``existing`` is the user's caption that it was merged with, empty for none; ``before`` is
    the previous content of the caption file, which may be a generated caption, or None where there was no file.
    """

    image: str
    digest: str
    settings: str
    existing: str
    before: str | None
    text: str


class CaptioningRecord:
    """The recorded captions of a folder, the newest of each image."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / RECORD
        self._lines = 0
        self._ends_with_newline = True
        self._captions = self._read()

    def find(self, image: str) -> RecordedCaption | None:
        return self._captions.get(image)

    def open(self) -> None:
        """Raise :class:`CannotWrite` where nothing can be recorded, before there is anything to record."""
        atomic.append_text(self._path, "")

    def add(self, caption: RecordedCaption) -> None:
        """Record a caption that is about to be written.

        Raises
        ------
        CannotWrite
            When the folder or the disk does not accept it.
        """
        atomic.append_text(self._path, ("" if self._ends_with_newline else "\n") + _line(caption))
        self._ends_with_newline = True
        self._lines += 1
        self._captions[caption.image] = caption

    def compact(self) -> None:
        """Delete entries that newer ones have replaced."""
        if self._lines > len(self._captions):
            atomic.write_text(self._path, "".join(map(_line, self._captions.values())))
            self._lines = len(self._captions)

    def _read(self) -> dict[str, RecordedCaption]:
        captions: dict[str, RecordedCaption] = {}
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError:  # missing or unreadable: then every image is captioned
            return captions
        self._ends_with_newline = not text or text.endswith("\n")
        for line in text.splitlines():
            self._lines += 1
            caption = _from_line(line)
            if caption is not None:
                captions[caption.image] = caption
        return captions


def _line(caption: RecordedCaption) -> str:
    return json.dumps(asdict(caption)) + "\n"


def _from_line(line: str) -> RecordedCaption | None:
    """Return the caption of a line; None for one that was cut off."""
    try:
        content = json.loads(line)
        if "picture" in content:  # as version 0.1.0 called it
            content["image"] = content.pop("picture")
        return RecordedCaption(**content)
    except (ValueError, TypeError):
        return None
