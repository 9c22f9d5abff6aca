"""What captioning did to a folder, noted so that doing it again goes on where it stopped.

One JSON object a line, appended before the caption itself is written: a program that is killed in between leaves a
note of what it was about to write, never a caption that a second run takes for the user's own and adds to once more.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lib_ti import atomic

RECORD = ".captions.jsonl"


@dataclass(frozen=True)
class Note:
    """A caption that was written for a picture.

    ``picture`` is its file name and ``digest`` the SHA-256 of its file; ``settings`` stands for all that the caption
    depends on besides. ``existing`` is the user's own caption that it was merged with, empty for none; ``before`` is
    what the caption file held until then, a caption of ours perhaps, or None where there was none.
    """

    picture: str
    digest: str
    settings: str
    existing: str
    before: str | None
    text: str


class Record:
    """The notes of a folder, the newest of each picture."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / RECORD
        self._lines = 0
        self._whole = True
        self._notes = self._read()

    def find(self, picture: str) -> Note | None:
        return self._notes.get(picture)

    def open(self) -> None:
        """Raise :class:`CannotWrite` where nothing can be noted, before there is anything to note."""
        atomic.append_text(self._path, "")

    def add(self, note: Note) -> None:
        """Note what is about to be written.

        Raises
        ------
        CannotWrite
            When the folder or the disk does not take it.
        """
        atomic.append_text(self._path, ("" if self._whole else "\n") + _line(note))
        self._whole = True
        self._lines += 1
        self._notes[note.picture] = note

    def compact(self) -> None:
        """Leave out what newer notes have replaced."""
        if self._lines > len(self._notes):
            atomic.write_text(self._path, "".join(map(_line, self._notes.values())))
            self._lines = len(self._notes)

    def _read(self) -> dict[str, Note]:
        notes: dict[str, Note] = {}
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError:  # nothing was noted yet, or it cannot be read: then all is captioned anew
            return notes
        self._whole = not text or text.endswith("\n")
        for line in text.splitlines():
            self._lines += 1
            note = _note(line)
            if note is not None:
                notes[note.picture] = note
        return notes


def _line(note: Note) -> str:
    return json.dumps(asdict(note)) + "\n"


def _note(line: str) -> Note | None:
    """The note of a line; None for one that was cut off."""
    try:
        return Note(**json.loads(line))
    except (ValueError, TypeError):
        return None
