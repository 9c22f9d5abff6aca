"""Looking over the found pictures, and leaving out those that do not serve. Knows the engine and no Gradio."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_ti.background.tasks import TaskContext
from lib_ti.config import InspectConfig
from lib_ti.errors import BadInput
from lib_ti.host.base import Folders
from lib_ti.paths import as_path, path_text
from lib_ti.prep.edits import Edits
from lib_ti.prep.folder_checks import folder_problems
from lib_ti.prep.inspect.measure_folder import MeasuredFolder, measure_folder
from lib_ti.prep.inspect.report import InspectedImage, InspectionReport, inspect_measured
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.ui import reach
from lib_ti.ui.dataset import message
from lib_ti.ui.html.fragments import file_name
from lib_ti.wording import quoted

_OTHERS = "This page shows pictures of another look: press “Look over” again, or load the page again."


@dataclass(frozen=True)
class Seen:
    """A picture that was looked over, and what was decided about it.

    ``copy_of`` is the name of the first file with the very same content, which is used in its place; what is decided
    about one of them is decided about all.
    """

    judged: InspectedImage
    excluded: bool
    copy_of: str = ""

    @property
    def name(self) -> str:
        return file_name(self.judged.measured.name)

    @property
    def digest(self) -> str:
        return self.judged.measured.digest

    @property
    def in_use(self) -> bool:
        return not self.excluded and not self.copy_of


@dataclass(frozen=True)
class Changes:
    """What a page sends: which pictures to leave out (true) and which to take in, by digest.

    ``number`` is the page's own, ``place`` that of the look whose pictures it shows.
    """

    number: str
    place: str
    wanted: Mapping[str, bool]


class LookedOver:
    """A folder as it was looked over, and the decisions about its pictures, which any page may make and undo.

    Several threads may use it. ``key`` stands for this look, ``place`` for all looks at these folders.
    """

    def __init__(self, looks: MeasuredFolder, folder: PreparedFolder, before: LookedOver | None = None) -> None:
        """``before`` is an earlier look, whose decisions can still be undone where it is about the same folders."""
        self.looks, self.folder = looks, folder
        self.key = str(time.time_ns())
        self.place = _place(looks.folder, folder.path)
        self._names = {look.digest: look.name for look in reversed(looks.images)}
        self._report: InspectionReport | None = None
        self._judging, self._deciding = threading.Lock(), threading.Lock()
        # Each is what the pictures were before: left out, or not.
        same = before if before and before.place == self.place else None
        self._undo: list[Mapping[str, bool]] = list(same._undo) if same else []
        self._redo: list[Mapping[str, bool]] = list(same._redo) if same else []

    def fits(self, source: str, output: str) -> bool:
        """Whether these are the pictures of that folder, prepared into that one; empty ones are any."""
        found = as_path(source) if path_text(source) else self.looks.folder
        prepared = as_path(output) if path_text(output) else self.folder.path
        return _place(found, prepared) == self.place

    def report(self, config: InspectConfig) -> InspectionReport:
        """The pictures judged by these thresholds; nothing is measured anew."""
        with self._judging:
            if self._report is None or self._report.config != config:
                self._report = inspect_measured(self.looks, config)
            return self._report

    def pictures(self, config: InspectConfig) -> tuple[Seen, ...]:
        """All pictures, judged, with what is decided about them by now.

        Raises
        ------
        BadInput
            When the manifest is damaged.
        """
        return tuple(_seen(self.report(config).images, read_manifest(self.folder).edits))

    def decide(self, wanted: Mapping[str, bool]) -> int:
        """Leave pictures out (true) or take them in, by digest; other decisions about them stay. Returns how many
        changed.

        Raises
        ------
        BadInput
            For pictures that are not among these, and when the manifest is damaged.
        CannotWrite
            When the folder or the disk does not take it.
        """
        if not self._names.keys() >= wanted.keys():
            raise BadInput(_OTHERS)
        with self._deciding:
            before = self._write(wanted)
            if before:
                self._undo.append(before)
                self._redo.clear()
            return len(before)

    def undo(self) -> int:
        """Take the last decision back; returns about how many pictures it was, 0 where there was none."""
        return self._travel(self._undo, self._redo)

    def redo(self) -> int:
        """Make the decision again that was taken back last; returns as :meth:`undo`."""
        return self._travel(self._redo, self._undo)

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        return bool(self._redo)

    def _travel(self, way: list[Mapping[str, bool]], back: list[Mapping[str, bool]]) -> int:
        """Write the last decisions of one list, and keep in the other what these replace."""
        with self._deciding:
            if not way:
                return 0
            wanted = way[-1]
            # Of a look before this one, which may have had other pictures.
            before = self._write({digest: excluded for digest, excluded in wanted.items() if digest in self._names})
            back += [before] if before else []
            way.pop()
            return len(wanted)

    def _write(self, wanted: Mapping[str, bool]) -> Mapping[str, bool]:
        """Returns what was decided before, of those pictures about which something else is decided now."""
        before: dict[str, bool] = {}

        def change(edits: Edits) -> Edits:
            by_digest = dict(edits.by_digest)
            for digest, excluded in wanted.items():
                now = edits.of(digest, self._names[digest])
                if now.excluded != excluded:
                    before[digest] = now.excluded
                    by_digest[digest] = replace(now, excluded=excluded)
            return Edits({digest: one for digest, one in by_digest.items() if not one.empty})

        update_edits(self.folder, change)
        return before


def folders(allowed: Folders, source: str, output: str) -> tuple[Path, PreparedFolder]:
    """The folder of the found pictures, and the prepared one, which need not be there yet.

    Raises
    ------
    BadInput
        When one is not named, is out of reach for this page, or cannot serve.
    """
    if not path_text(source):
        raise BadInput("No folder is chosen: write the path of the folder with your pictures.")
    if not path_text(output):
        raise BadInput("Prepared folder is empty: name a folder for what is decided here, outside the pictures' own.")
    reach.check(allowed, {"Source folder": source, "Prepared folder": output})
    found, prepared = as_path(source, "Source folder"), as_path(output, "Prepared folder")
    if wrong := folder_problems(found, prepared):
        raise BadInput(wrong)
    return found, PreparedFolder(prepared, found)


def look(
    source: Path,
    folder: PreparedFolder,
    config: InspectConfig,
    task: TaskContext,
    before: LookedOver | None = None,
    *,
    subfolders: bool = False,
) -> LookedOver:
    """Look at all pictures of a folder; see :func:`lib_ti.prep.inspect.measure_folder.measure_folder`."""
    looks = measure_folder(
        source,
        subfolders=subfolders,
        cache_folder=folder.inspection,
        progress=task.report_progress,
        stop=task.stop_requested,
    )
    task.report_message("Looking for near-duplicates.")
    looked = LookedOver(looks, folder, before)
    looked.report(config)  # now, and not when a page waits for it
    return looked


def advised(pictures: Iterable[Seen]) -> dict[str, bool]:
    """The pictures to leave out, as :meth:`LookedOver.decide` takes them.

    Not a file only because another one is its copy: they are the same picture, which would be lost.
    """
    good = {seen.digest: False for seen in pictures if seen.judged.good}
    return {seen.digest: True for seen in pictures if seen.digest not in good and not seen.excluded}


def read_changes(text: str) -> Changes:
    """What a page sent.

    Raises
    ------
    BadInput
        When it is nothing that a page of this program sends.
    """

    def meaning(content: Any) -> Changes:
        wanted = {str(digest): bool(excluded) for digest, excluded in content["pictures"].items()}
        return Changes(str(content["number"]), str(content["place"]), wanted)

    return message.read(text, "something", meaning)


def keep(looked: LookedOver | None, changes: Changes) -> LookedOver:
    """Write what a page sent; returns the look that it is about.

    Raises
    ------
    BadInput
        When the page shows another look's pictures; and as :meth:`LookedOver.decide`.
    """
    if looked is None or changes.place != looked.place:
        raise BadInput(_OTHERS)
    looked.decide(changes.wanted)
    return looked


def write_names(pictures: Iterable[Seen]) -> str:
    """The names of those that are left out, one a line."""
    return "\n".join(seen.name for seen in pictures if seen.excluded and not seen.copy_of)


def read_names(text: str, pictures: Iterable[Seen]) -> dict[str, bool]:
    """What a list of names, one a line, decides: all others are taken in.

    Raises
    ------
    BadInput
        With every line that names no picture.
    """
    everything = list(pictures)
    digests = {seen.name: seen.digest for seen in everything}
    named = [line.strip() for line in text.splitlines() if line.strip()]
    if unknown := [name for name in named if name not in digests]:
        raise BadInput(f"There is no picture {quoted(name)} in the source folder; check its name." for name in unknown)
    excluded = {digests[name] for name in named}
    return {seen.digest: seen.digest in excluded for seen in everything}


def _seen(judged: Iterable[InspectedImage], edits: Edits) -> Iterator[Seen]:
    first: dict[str, str] = {}
    for one in judged:
        digest, name = one.measured.digest, one.measured.name
        original = first.setdefault(digest, name)
        copy_of = "" if original == name else file_name(original)
        yield Seen(one, edits.of(digest, name).excluded, copy_of)


def _place(source: Path, output: Path) -> str:
    """Stands for a folder of found pictures and the one that they are prepared into."""
    where = f"{source.absolute()}\n{output.absolute()}"
    return hashlib.sha256(where.encode("utf-8", "surrogateescape")).hexdigest()
