"""Record of the last inspection of a folder: the issues of each image, to be read without inspecting again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lib_ti.prep.prepared import PreparedFolder
from lib_ti.storage.atomic import CannotWrite, write_text

if TYPE_CHECKING:
    from lib_ti.data.folder import Skipped
    from lib_ti.prep.inspect.report import InspectedImage, InspectionReport

_NAME = "record.json"


@dataclass(frozen=True)
class RecordedFile:
    """An inspected file: its name, length and SHA-256, and the kinds of its issues by what they advise.

    The digest of a file that cannot be used is empty.
    """

    name: str
    bytes: int
    digest: str = ""
    exclude: tuple[str, ...] = ()
    fix: tuple[str, ...] = ()


@dataclass(frozen=True)
class InspectionRecord:
    """The inspected files by their names."""

    files: Mapping[str, RecordedFile] = field(default_factory=dict)

    @classmethod
    def of(cls, report: InspectionReport) -> InspectionRecord:
        found = [*map(_recorded, report.images), *map(_unusable, report.skipped)]
        return cls({file.name: file for file in found})

    def find(self, name: str, size: int) -> RecordedFile | None:
        """Return the file of that name; None where it was not inspected, or has changed its length since."""
        found = self.files.get(name)
        return found if found and found.bytes == size else None


def write_record(folder: PreparedFolder, record: InspectionRecord) -> None:
    """Write the record of a prepared folder.

    A failure is ignored: the images are only inspected again, and the inspection reports that the folder cannot be
    written.
    """
    content = [vars(file) for file in record.files.values()]
    try:
        write_text(folder.inspection / _NAME, json.dumps(content) + "\n")
    except (CannotWrite, OSError):
        return


def read_record(folder: PreparedFolder) -> InspectionRecord:
    """Read the record of a prepared folder; empty where there is none, or it is damaged."""
    try:
        content = json.loads((folder.inspection / _NAME).read_text(encoding="utf-8"))
        files = [_from_json(one) for one in content]
    except (OSError, ValueError, KeyError, TypeError):
        return InspectionRecord()
    return InspectionRecord({file.name: file for file in files})


def _recorded(image: InspectedImage) -> RecordedFile:
    exclude, fix = (
        tuple(issue.kind for issue in image.issues if issue.advice == advice) for advice in ("exclude", "fix")
    )
    return RecordedFile(image.measured.name, image.measured.bytes, image.measured.digest, exclude, fix)


def _unusable(file: Skipped) -> RecordedFile:
    try:
        size = file.path.stat().st_size
    except OSError:
        size = 0
    return RecordedFile(file.name or file.path.name, size)


def _from_json(content: Mapping[str, Any]) -> RecordedFile:
    return RecordedFile(
        str(content["name"]),
        int(content["bytes"]),
        str(content["digest"]),
        tuple(map(str, content["exclude"])),
        tuple(map(str, content["fix"])),
    )
