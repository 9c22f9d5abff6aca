"""Inspection of the source images, and decisions about which to exclude."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lib_ti.background.tasks import TaskContext
from lib_ti.config import InspectConfig
from lib_ti.data.preparations import remember
from lib_ti.errors import BadInput
from lib_ti.host.base import Folders
from lib_ti.paths import as_path, path_text
from lib_ti.prep.edits import Edits
from lib_ti.prep.folder_checks import folder_problems
from lib_ti.prep.inspect.measure_folder import MeasuredFolder, measure_folder
from lib_ti.prep.inspect.record import InspectionRecord, write_record
from lib_ti.prep.inspect.report import InspectedImage, InspectionReport, inspect_measured
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.ui import reach
from lib_ti.ui.html.fragments import file_name

OTHER_FOLDERS = "This page shows images of another inspection: press “Inspect” again, or reload the page."


@dataclass(frozen=True)
class ListedImage:
    """An inspected image, and whether it is excluded.

    ``copy_of`` is the name of the first file with the same content, which is used in its place; a decision about one of
    them applies to all.
    """

    inspected: InspectedImage
    excluded: bool
    copy_of: str = ""

    @property
    def name(self) -> str:
        return file_name(self.inspected.measured.name)

    @property
    def digest(self) -> str:
        return self.inspected.measured.digest

    @property
    def in_use(self) -> bool:
        return not self.excluded and not self.copy_of


class Inspection:
    """An inspected folder, and the decisions about its images, which any page may make and undo. Thread-safe.

    ``key`` identifies this inspection, ``folders_key`` all inspections of these folders.
    """

    def __init__(self, measured: MeasuredFolder, folder: PreparedFolder, before: Inspection | None = None) -> None:
        """``before`` is an earlier inspection, whose decisions can still be undone if it is of the same folders."""
        self.measured, self.folder = measured, folder
        self.key = str(time.time_ns())
        self.folders_key = _folders_key(measured.folder, folder.path)
        self._names = {image.digest: image.name for image in reversed(measured.images)}
        self._report: InspectionReport | None = None
        self._inspecting, self._deciding = threading.Lock(), threading.Lock()
        # Each entry is the state before a decision: excluded or not, by digest.
        same = before if before and before.folders_key == self.folders_key else None
        self._undo: list[Mapping[str, bool]] = list(same._undo) if same else []
        self._redo: list[Mapping[str, bool]] = list(same._redo) if same else []

    def matches(self, source: str, output: str) -> bool:
        """Whether these are the images of that folder, prepared into that one; empty ones match any."""
        found = as_path(source) if path_text(source) else self.measured.folder
        prepared = as_path(output) if path_text(output) else self.folder.path
        return _folders_key(found, prepared) == self.folders_key

    def report(self, config: InspectConfig) -> InspectionReport:
        """Return the report for these thresholds; nothing is measured again."""
        with self._inspecting:
            if self._report is None or self._report.config != config:
                self._report = inspect_measured(self.measured, config)
            return self._report

    def record(self) -> InspectionRecord:
        """Return the issues by the thresholds that were used last, for the other steps."""
        report = self._report
        return InspectionRecord.of(report) if report else InspectionRecord()

    def images(self, config: InspectConfig) -> tuple[ListedImage, ...]:
        """Return all images with their issues and the present decisions.

        Raises
        ------
        BadInput
            When the manifest is damaged.
        """
        return tuple(_listed(self.report(config).images, read_manifest(self.folder).edits))

    def decide(self, decisions: Mapping[str, bool]) -> int:
        """Exclude images (true) or include them, by digest; return how many changed. Other edits stay.

        Raises
        ------
        BadInput
            When an image is not among these, or the manifest is damaged.
        CannotWrite
            When the folder or the disk does not accept the manifest.
        """
        if not self._names.keys() >= decisions.keys():
            raise BadInput(OTHER_FOLDERS)
        with self._deciding:
            before = self._write(decisions)
            if before:
                self._undo.append(before)
                self._redo.clear()
            return len(before)

    def undo(self) -> str:
        """Undo the last decision; return what it was, such as "exclude 3 images", empty where there was none."""
        return self._restore(self._undo, self._redo, self.undo_label)

    def redo(self) -> str:
        """Redo the decision that was undone last; returns as :meth:`undo`."""
        return self._restore(self._redo, self._undo, self.redo_label)

    @property
    def undo_label(self) -> str:
        """What :meth:`undo` would undo, empty for nothing."""
        last = self._undo[-1] if self._undo else {}
        return self._describe({digest: not excluded for digest, excluded in last.items()})

    @property
    def redo_label(self) -> str:
        """What :meth:`redo` would do again, empty for nothing."""
        return self._describe(self._redo[-1] if self._redo else {})

    def _describe(self, decisions: Mapping[str, bool]) -> str:
        """Return decisions in a few words."""
        parts = []
        for word, wanted in (("exclude", True), ("include", False)):
            digests = [digest for digest, excluded in decisions.items() if excluded == wanted]
            if len(digests) == 1:
                parts.append(f"{word} {file_name(self._names.get(digests[0], 'an image'))}")
            elif digests:
                parts.append(f"{word} {len(digests)} images")
        return ", ".join(parts)

    def _restore(self, source: list[Mapping[str, bool]], target: list[Mapping[str, bool]], label: str) -> str:
        """Write the last decisions of one list, and keep in the other what they replace."""
        with self._deciding:
            if not source:
                return ""
            decisions = source[-1]
            # An earlier inspection may have had other images.
            before = self._write({digest: excluded for digest, excluded in decisions.items() if digest in self._names})
            target += [before] if before else []
            source.pop()
            return label

    def _write(self, decisions: Mapping[str, bool]) -> Mapping[str, bool]:
        """Write decisions; return the previous ones of those images that changed."""
        before: dict[str, bool] = {}

        def change(edits: Edits) -> Edits:
            by_digest = dict(edits.by_digest)
            for digest, excluded in decisions.items():
                now = edits.of(digest, self._names[digest])
                if now.excluded != excluded:
                    before[digest] = now.excluded
                    by_digest[digest] = replace(now, excluded=excluded)
            return Edits({digest: one for digest, one in by_digest.items() if not one.empty})

        update_edits(self.folder, change)
        return before


def check_folders(allowed: Folders, source: str, output: str) -> tuple[Path, PreparedFolder]:
    """Return the source folder, and the prepared folder, which need not exist yet.

    Raises
    ------
    BadInput
        When one is not given, is outside the folders this server allows, or cannot be used.
    """
    if not path_text(source):
        raise BadInput("No folder is chosen: enter the path of the folder with your images.")
    if not path_text(output):
        raise BadInput(
            "Prepared folder is empty: enter a folder outside the source folder for the decisions made here."
        )
    reach.check(allowed, {"Source folder": source, "Prepared folder": output})
    found, prepared = as_path(source, "Source folder"), as_path(output, "Prepared folder")
    if problems := folder_problems(found, prepared):
        raise BadInput(problems)
    return found, PreparedFolder(prepared, found)


def inspect(
    source: Path,
    folder: PreparedFolder,
    config: InspectConfig,
    task: TaskContext,
    before: Inspection | None = None,
    *,
    subfolders: bool = False,
    remarks: Sequence[str] = (),
) -> Inspection:
    """Inspect all images of a folder; see :func:`lib_ti.prep.inspect.measure_folder.measure_folder`.

    ``remarks`` are sentences to show with the result.
    """
    measured = measure_folder(
        source,
        subfolders=subfolders,
        cache_folder=folder.inspection,
        progress=task.report_progress,
        stop=task.stop_requested,
    )
    task.report_message("Looking for near-duplicates.")
    inspection = Inspection(replace(measured, remarks=(*remarks, *measured.remarks)), folder, before)
    inspection.report(config)  # in the task, so that no page waits for it
    write_record(folder, inspection.record())
    remember(source, folder.path)  # new pages continue with it
    return inspection


def _listed(images: Iterable[InspectedImage], edits: Edits) -> Iterator[ListedImage]:
    first: dict[str, str] = {}
    for image in images:
        digest, name = image.measured.digest, image.measured.name
        original = first.setdefault(digest, name)
        copy_of = "" if original == name else file_name(original)
        yield ListedImage(image, edits.of(digest, name).excluded, copy_of)


def _folders_key(source: Path, output: Path) -> str:
    """Hash a source folder and the folder that its images are prepared into."""
    folders = f"{source.absolute()}\n{output.absolute()}"
    return hashlib.sha256(folders.encode("utf-8", "surrogateescape")).hexdigest()
