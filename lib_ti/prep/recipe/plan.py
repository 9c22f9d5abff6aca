"""The plan of a preparation: what will be made of each picture, under which name, and what is left as it is.

Made from headers, content hashes and the manifest; nothing is written. It is the dry run, and what
:mod:`lib_ti.prep.recipe.execute` carries out.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.dataset import Dataset
from lib_ti.data.folder import Skipped
from lib_ti.errors import BadInput
from lib_ti.ordered_map import ordered_map
from lib_ti.paths import resolved
from lib_ti.prep.edits import Edits
from lib_ti.prep.manifest import Manifest, Result, read_manifest, taken_over
from lib_ti.prep.prepared import PreparedFolder, file_digest, pictures_in
from lib_ti.prep.recipe.matching import match
from lib_ti.prep.recipe.result_names import Names, naming
from lib_ti.prep.recipe.result_specs import UNCUT, Wanted, results_of
from lib_ti.prep.sources import found_pictures
from lib_ti.wording import counted, some

State = Literal["new", "unchanged", "again"]
"""Not made yet; made and still right; to be made again, since something it depends on or its file has changed."""


@dataclass(frozen=True)
class Planned:
    """A result under its ``name``, a file name made by the pattern ``naming``. ``earlier`` is what it goes on with."""

    wanted: Wanted
    name: str
    naming: str
    state: State
    earlier: Result | None = None

    @property
    def renamed_from(self) -> str:
        """Its name so far, empty where that stays."""
        return self.earlier.name if self.earlier and self.earlier.name != self.name else ""

    def describe(self) -> str:
        """One line for a person."""
        wanted = self.wanted
        done = [f"{wanted.size[0]}×{wanted.size[1]}"]
        if wanted.how != UNCUT:
            done.append(f"cut out {wanted.how}")
        if wanted.factor > 1:
            done.append(f"enlarged {wanted.factor:.3g} times by {wanted.upscaler}")
        if wanted.edits.erased:
            done.append(f"{counted(len(wanted.edits.erased), 'part')} erased")
        if wanted.flipped:
            done.append("mirrored")
        state = {"new": "", "unchanged": " (is made already)", "again": " (made again)"}[self.state]
        renamed = f", so far {self.renamed_from}" if self.renamed_from else ""
        return f"{wanted.item.name} → {self.name}{renamed}: {', '.join(done)}{state}"


@dataclass(frozen=True)
class Plan:
    """A preparation before it is carried out.

    ``results`` are in the order of their pictures; ``removed`` are earlier results that are not wanted any more;
    ``left_out`` names pictures that are left out by hand. ``remarks`` are full sentences. ``before`` are the results
    that were there when the plan was made.
    """

    config: PrepareConfig
    source: Path
    folder: PreparedFolder
    results: tuple[Planned, ...]
    removed: tuple[Result, ...]
    left_out: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    remarks: tuple[str, ...]
    before: tuple[Result, ...]

    @property
    def to_make(self) -> tuple[Planned, ...]:
        return tuple(one for one in self.results if one.state != "unchanged")

    def describe(self) -> tuple[str, ...]:
        """Short sentences that sum up what would happen."""
        pictures = len({one.wanted.item.digest for one in self.results})
        states = Counter(one.state for one in self.results)
        renamed = sum(bool(one.renamed_from) for one in self.results)
        parts = [
            (states["new"], "new"),
            (states["again"], "made again"),
            (states["unchanged"], "unchanged"),
            (renamed, "renamed"),
            (len(self.removed), "no longer wanted"),
        ]
        told = ", ".join(f"{number} {what}" for number, what in parts if number)
        lines = [f"{counted(len(self.results), 'result')} of {counted(pictures, 'picture')}: {told or 'nothing'}."]
        sizes = Counter(one.wanted.size for one in self.results).most_common()
        if sizes:
            shown = [f"{width}×{height} ({count})" for (width, height), count in sizes]
            lines.append(f"Sizes: {some(shown, 8)}.")
        enlarged = [one for one in self.results if one.wanted.factor > 1]
        if enlarged:
            names = [f"{one.wanted.item.name} ({one.wanted.factor:.3g} times)" for one in enlarged]
            lines.append(f"Enlarged by {self.config.upscaler}: {counted(len(enlarged), 'result')}: {some(names)}.")
        named = [one.wanted.caption for one in self.results if one.wanted.named]
        if named:
            lines.append(
                f"File names serve as captions of {counted(len(named), 'result')}, such as “{named[0]}”: write better "
                "ones once they are prepared."
            )
        if self.left_out:
            lines.append(f"Excluded by hand: {some(self.left_out)}.")
        if self.skipped:
            lines.append(f"{counted(len(self.skipped), 'file')} cannot be used.")
        return (*lines, *self.remarks)


def make_plan(config: PrepareConfig, upscalers: Iterable[str] = ()) -> Plan:
    """What preparing with these settings, and with what was decided by hand, would do.

    Parameters
    ----------
    upscalers
        Names of the host's upscalers.

    Raises
    ------
    BadInput
        Settings that are wrong or contradict each other, folders that cannot serve, a source without readable
        pictures, a damaged manifest.
    """
    found, folder = found_pictures(config, upscalers)
    pattern = naming(config)
    manifest = read_manifest(folder)
    _check_same_pictures(found, folder, manifest)
    wanted: list[Wanted] = []
    left_out = []
    for item in found.items:
        edits = manifest.edits.of(item.digest, item.name)
        if edits.left_out:
            left_out.append(item.name)
        else:
            wanted += results_of(item, edits, config)
    earlier = match(wanted, manifest.results)
    names = Names([*_files_in(folder), *(one.name for one in manifest.results)])
    states = _states(wanted, earlier, folder)
    results = []
    for one, other, state in zip(wanted, earlier, states, strict=True):
        keeps_name = other is not None and other.naming == pattern
        name = other.name if other and keeps_name else names.take(pattern, one.item.name)
        results.append(Planned(one, name, pattern, state, other))
    kept = {one.name for one in earlier if one}
    removed = tuple(one for one in manifest.results if one.name not in kept)
    told = taken_over(folder)
    remarks = (
        *([told] if told else []),
        *found.remarks,
        *found.remarks_by_file(),
        *_lost_repeats(found),
        *_lost_edits(manifest.edits, found),
        *_strangers(folder, manifest),
    )
    return Plan(
        config=config,
        source=found.folder,
        folder=folder,
        results=tuple(results),
        removed=removed,
        left_out=tuple(left_out),
        skipped=found.skipped,
        remarks=remarks,
        before=manifest.results,
    )


def _check_same_pictures(found: Dataset, folder: PreparedFolder, manifest: Manifest) -> None:
    """Another source would have all earlier results put aside, which nobody means who mistypes a folder."""
    before = {one.source_digest for one in manifest.results}
    if not before or resolved(Path(manifest.source)) == resolved(found.folder):
        return
    if before.isdisjoint(item.digest for item in found.items):
        raise BadInput(
            f"The prepared folder {folder.path} holds results of other pictures, from {manifest.source}; choose "
            "another prepared folder, or add the new pictures to that source folder."
        )


def _states(wanted: Sequence[Wanted], earlier: Sequence[Result | None], folder: PreparedFolder) -> list[State]:
    def state(one: Wanted, other: Result | None) -> State:
        if other is None or not other.digest:
            return "new"
        unchanged = one.key == other.key and file_digest(folder.picture(other.name)) == other.digest
        return "unchanged" if unchanged else "again"

    pairs = zip(wanted, earlier, strict=True)
    return list(ordered_map(lambda pair: state(*pair), pairs, workers=min(8, os.cpu_count() or 1), name="digest"))


def _files_in(folder: PreparedFolder) -> list[str]:
    return [path.name for path in folder.path.iterdir()] if folder.path.is_dir() else []


def _lost_edits(edits: Edits, found: Dataset) -> list[str]:
    digests = {item.digest for item in found.items}
    names = {item.name for item in found.items if item.digest not in edits.by_digest}
    lost = sorted(one.name for digest, one in edits.by_digest.items() if digest not in digests and one.name in names)
    if not lost:
        return []
    return [f"Changed since they were edited by hand, so that those edits are not used: {some(lost)}."]


def _lost_repeats(found: Dataset) -> list[str]:
    if all(item.repeats == 1 for item in found.items):
        return []
    return ["The numbers of sub-folders such as 10_thing are not kept: training uses each result once an epoch."]


def _strangers(folder: PreparedFolder, manifest: Manifest) -> list[str]:
    if not folder.path.is_dir():
        return []
    ours = {one.name for one in manifest.results}
    others = [path.name for path in pictures_in(folder.path) if path.name not in ours]
    if not others:
        return []
    number = counted(len(others), "other picture")
    return [f"{folder.path} also holds {number}, which training would use too: {some(others)}."]
