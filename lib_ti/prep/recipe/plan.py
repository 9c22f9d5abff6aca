"""Plan of a preparation: what is made from each image, under which name, and what stays unchanged.

Made from headers, content hashes and the manifest; nothing is written. It is the dry run, and the input of
:mod:`lib_ti.prep.recipe.execute`.
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
from lib_ti.prep.manifest import Manifest, Result, describe_inherited, read_manifest
from lib_ti.prep.prepared import PreparedFolder, file_digest, images_in
from lib_ti.prep.recipe.matching import match
from lib_ti.prep.recipe.result_names import ResultNames, name_template
from lib_ti.prep.recipe.result_specs import UNCROPPED, ResultSpec, specs_of
from lib_ti.prep.sources import find_images
from lib_ti.wording import counted, some

State = Literal["new", "unchanged", "outdated"]
"""Not made yet; up to date; to be made again, since something it depends on or its file has changed."""


@dataclass(frozen=True)
class PlannedResult:
    """A result with its file name and the template of that. ``earlier`` is the existing result that it continues."""

    spec: ResultSpec
    name: str
    name_template: str
    state: State
    earlier: Result | None = None

    @property
    def renamed_from(self) -> str:
        """Its present file name, empty where that stays."""
        return self.earlier.name if self.earlier and self.earlier.name != self.name else ""

    def describe(self) -> str:
        """Return a one-line description."""
        spec = self.spec
        steps = [f"{spec.size[0]}×{spec.size[1]}"]
        if spec.how != UNCROPPED:
            steps.append(f"cropped {spec.how}")
        if spec.factor > 1:
            steps.append(f"upscaled {spec.factor:.3g} times by {spec.upscaler}")
        if spec.edits.removed_regions:
            steps.append(f"{counted(len(spec.edits.removed_regions), 'region')} removed")
        if spec.flipped:
            steps.append("mirrored")
        state = {"new": "", "unchanged": " (unchanged)", "outdated": " (made again)"}[self.state]
        renamed = f" (renamed from {self.renamed_from})" if self.renamed_from else ""
        return f"{spec.item.name} → {self.name}{renamed}: {', '.join(steps)}{state}"


@dataclass(frozen=True)
class Plan:
    """A preparation before it is carried out.

    Attributes
    ----------
    results
        In the order of their images.
    removed
        Earlier results that are no longer needed.
    excluded
        Names of the images that were excluded by hand.
    remarks
        Full sentences.
    before
        The results that existed when the plan was made.
    """

    config: PrepareConfig
    source: Path
    folder: PreparedFolder
    results: tuple[PlannedResult, ...]
    removed: tuple[Result, ...]
    excluded: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    remarks: tuple[str, ...]
    before: tuple[Result, ...]

    @property
    def to_make(self) -> tuple[PlannedResult, ...]:
        return tuple(one for one in self.results if one.state != "unchanged")

    def describe(self) -> tuple[str, ...]:
        """Return short sentences that summarize the plan."""
        images = len({one.spec.item.digest for one in self.results})
        states = Counter(one.state for one in self.results)
        renamed = sum(bool(one.renamed_from) for one in self.results)
        counts = [
            (states["new"], "new"),
            (states["outdated"], "made again"),
            (states["unchanged"], "unchanged"),
            (renamed, "renamed"),
            (len(self.removed), "no longer needed"),
        ]
        summary = ", ".join(f"{number} {what}" for number, what in counts if number)
        lines = [f"{counted(len(self.results), 'result')} of {counted(images, 'image')}: {summary or 'nothing'}."]
        sizes = Counter(one.spec.size for one in self.results).most_common()
        if sizes:
            shown = [f"{width}×{height} ({count})" for (width, height), count in sizes]
            lines.append(f"Sizes: {some(shown, 8)}.")
        upscaled = [one for one in self.results if one.spec.factor > 1]
        if upscaled:
            names = [f"{one.spec.item.name} ({one.spec.factor:.3g} times)" for one in upscaled]
            lines.append(f"Upscaled by {self.config.upscaler}: {counted(len(upscaled), 'result')}: {some(names)}.")
        from_names = [one.spec.caption for one in self.results if one.spec.caption_from_name]
        if from_names:
            lines.append(
                f"{counted(len(from_names), 'result')} with the file name as caption, such as “{from_names[0]}”: write "
                "better captions after preparing."
            )
        if self.excluded:
            lines.append(f"Excluded by hand: {some(self.excluded)}.")
        if self.skipped:
            lines.append(f"{counted(len(self.skipped), 'file')} cannot be used.")
        return (*lines, *self.remarks)


def make_plan(config: PrepareConfig, upscalers: Iterable[str] = ()) -> Plan:
    """Plan a preparation by the settings and the manual decisions.

    Parameters
    ----------
    upscalers
        Names of the host's upscalers.

    Raises
    ------
    BadInput
        When settings are wrong or contradict each other, a folder cannot be used, the source folder has no readable
        image, or the manifest is damaged.
    """
    found, folder = find_images(config, upscalers)
    template = name_template(config)
    manifest = read_manifest(folder)
    _check_same_images(found, folder, manifest)
    specs: list[ResultSpec] = []
    excluded = []
    for item in found.items:
        edits = manifest.edits.of(item.digest, item.name)
        if edits.excluded:
            excluded.append(item.name)
        else:
            specs += specs_of(item, edits, config)
    earlier = match(specs, manifest.results)
    kept = {one.name for one in earlier if one}
    inherited = describe_inherited(folder)
    return Plan(
        config=config,
        source=found.folder,
        folder=folder,
        results=_named(specs, earlier, folder, template, manifest),
        removed=tuple(one for one in manifest.results if one.name not in kept),
        excluded=tuple(excluded),
        skipped=found.skipped,
        remarks=(
            *([inherited] if inherited else []),
            *found.remarks,
            *found.remarks_by_file(),
            *_lost_repeats(found),
            *_lost_edits(manifest.edits, found),
            *_foreign_images(folder, manifest),
        ),
        before=manifest.results,
    )


def _check_same_images(found: Dataset, folder: PreparedFolder, manifest: Manifest) -> None:
    """Refuse another source, which would set all earlier results aside: probably a folder was mistyped."""
    before = {one.source_digest for one in manifest.results}
    if not before or resolved(Path(manifest.source)) == resolved(found.folder):
        return
    if before.isdisjoint(item.digest for item in found.items):
        raise BadInput(
            f"The prepared folder {folder.path} holds results of other images, from {manifest.source}; choose "
            "another prepared folder, or add the new images to that source folder."
        )


def _named(
    specs: Sequence[ResultSpec],
    earlier: Sequence[Result | None],
    folder: PreparedFolder,
    template: str,
    manifest: Manifest,
) -> tuple[PlannedResult, ...]:
    """Name the results; those that continue an earlier one of the same template keep its name."""
    names = ResultNames([*_files_in(folder), *(one.name for one in manifest.results)])
    planned = []
    for spec, other, state in zip(specs, earlier, _states(specs, earlier, folder), strict=True):
        keeps_name = other is not None and other.name_template == template
        name = other.name if other and keeps_name else names.take(template, spec.item.name)
        planned.append(PlannedResult(spec, name, template, state, other))
    return tuple(planned)


def _states(specs: Sequence[ResultSpec], earlier: Sequence[Result | None], folder: PreparedFolder) -> list[State]:
    def state(spec: ResultSpec, other: Result | None) -> State:
        if other is None or not other.digest:
            return "new"
        unchanged = spec.key == other.key and file_digest(folder.image(other.name)) == other.digest
        return "unchanged" if unchanged else "outdated"

    pairs = zip(specs, earlier, strict=True)
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
    return ["The repeats in names of sub-folders such as 10_thing are ignored: each result is used once per epoch."]


def _foreign_images(folder: PreparedFolder, manifest: Manifest) -> list[str]:
    if not folder.path.is_dir():
        return []
    ours = {one.name for one in manifest.results}
    others = [path.name for path in images_in(folder.path) if path.name not in ours]
    if not others:
        return []
    number = counted(len(others), "other image")
    return [f"{folder.path} also contains {number}, which training would use too: {some(others)}."]
