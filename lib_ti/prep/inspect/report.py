"""Report of a folder's inspection: issues of each image, near-duplicates, and advice for the whole set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_ti.config import InspectConfig, problems
from lib_ti.data.folder import Skipped
from lib_ti.errors import BadInput
from lib_ti.prep.inspect.duplicates import SimilarPair, find_near_duplicates, groups
from lib_ti.prep.inspect.issues import AtTrainingSize, Issue, issues_of
from lib_ti.prep.inspect.measure_folder import MeasuredFolder, MeasuredImage, measure_folder
from lib_ti.wording import printable

FEWEST, MOST = 30, 70
"""Number of images from which a style or subject is usually learned: fewer show too little, more take long to
caption."""
_NAMED = 8


@dataclass(frozen=True)
class InspectedImage:
    """An image with its issues.

    ``group`` is the number, from 1, of the group of near-duplicates that it belongs to; 0 for none.
    """

    measured: MeasuredImage
    at_training: AtTrainingSize
    issues: tuple[Issue, ...] = ()
    group: int = 0

    @property
    def good(self) -> bool:
        """Whether no issue suggests excluding it."""
        return not any(issue.advice == "exclude" for issue in self.issues)

    @property
    def needs_fix(self) -> bool:
        return any(issue.advice == "fix" for issue in self.issues)

    def has(self, kind: str) -> bool:
        return any(issue.kind == kind for issue in self.issues)


@dataclass(frozen=True)
class InspectionReport:
    """Report on a folder. ``advice`` and ``remarks`` are sentences; ``images`` are in natural order."""

    folder: Path
    config: InspectConfig
    images: tuple[InspectedImage, ...]
    skipped: tuple[Skipped, ...]
    advice: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def good(self) -> tuple[InspectedImage, ...]:
        return tuple(image for image in self.images if image.good)

    @property
    def suggested_exclusions(self) -> tuple[InspectedImage, ...]:
        return tuple(image for image in self.images if not image.good)

    @property
    def groups(self) -> tuple[tuple[InspectedImage, ...], ...]:
        """Near-duplicates by the number of their group, in each the image to keep first."""
        found: dict[int, list[InspectedImage]] = defaultdict(list)
        for image in self.images:
            if image.group:
                found[image.group].append(image)
        return tuple(tuple(sorted(found[number], key=lambda one: one.has("duplicate"))) for number in sorted(found))

    def counts(self) -> Mapping[str, int]:
        """Return the number of images with each kind of issue, the most frequent first."""
        kinds = [issue.kind for image in self.images for issue in image.issues]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))}


def inspect_folder(
    folder: Path,
    config: InspectConfig,
    *,
    subfolders: bool = False,
    cache_folder: Path | None = None,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
    workers: int | None = None,
) -> InspectionReport:
    """Measure and inspect all images of a folder; see :func:`lib_ti.prep.inspect.measure_folder.measure_folder`.

    Raises
    ------
    BadInput
        When a setting is wrong, or the folder is missing, is a file, or cannot be listed.
    Stopped
        When ``stop`` returned true.
    """
    if found := problems(config):
        raise BadInput(found)
    measured = measure_folder(
        folder, subfolders=subfolders, cache_folder=cache_folder, progress=progress, stop=stop, workers=workers
    )
    return inspect_measured(measured, config)


def inspect_measured(measured: MeasuredFolder, config: InspectConfig) -> InspectionReport:
    """Find issues and near-duplicates, and advise. Nothing is measured, so this can follow each change of a
    threshold."""
    alone = [
        InspectedImage(image, AtTrainingSize.of(image, config), issues_of(image, config)) for image in measured.images
    ]
    images = tuple(_with_duplicates(alone, _similar_pairs(measured.images, config.duplicates / 100)))
    advice = tuple(_advice(images, measured.skipped))
    return InspectionReport(measured.folder, config, images, measured.skipped, advice, measured.remarks)


def _similar_pairs(images: Sequence[MeasuredImage], at_least: float) -> list[SimilarPair]:
    found = find_near_duplicates([image.fingerprint for image in images], at_least=at_least)
    # Identical files are duplicates even where they have too little contrast to be compared.
    first: dict[str, int] = {}
    identical = [
        SimilarPair(first[image.digest], index, 1.0, mirrored=False)
        for index, image in enumerate(images)
        if first.setdefault(image.digest, index) != index
    ]
    return found + identical


def _with_duplicates(images: Sequence[InspectedImage], pairs: Sequence[SimilarPair]) -> Iterator[InspectedImage]:
    """Mark all images of each group but the best. Mirrored copies only get a note, since they add variety."""
    plain = [pair for pair in pairs if not pair.mirrored]
    group_of: dict[int, int] = {}
    best_of: dict[int, InspectedImage] = {}
    for number, members in enumerate(groups(len(images), plain), start=1):
        best = min(members, key=lambda index: _rank(images[index]))
        for index in members:
            group_of[index] = number
            if index != best:
                best_of[index] = images[best]
    mirror_of: dict[int, InspectedImage] = {}
    for pair in pairs:
        if pair.mirrored:
            mirror_of.setdefault(pair.second, images[pair.first])
    for index, image in enumerate(images):
        added = []
        if index in best_of:
            added.append(_duplicate(image.measured, best_of[index].measured))
        elif index in mirror_of:
            other = printable(mirror_of[index].measured.name)
            added.append(Issue("mirrored", "mirrored", f"It seems to be a mirrored copy of {other}.", "note"))
        yield InspectedImage(image.measured, image.at_training, (*image.issues, *added), group_of.get(index, 0))


def _rank(image: InspectedImage) -> tuple[int, ...]:
    """Sort key with the image to keep first: fewest issues that cannot be fixed, then fewest to fix, then the largest,
    then fewest notes, then the largest file, then one with a caption."""
    measured = image.measured
    advices = [issue.advice for issue in image.issues]
    pixels = measured.size[0] * measured.size[1]
    return (
        advices.count("exclude"),
        advices.count("fix"),
        -pixels,
        advices.count("note"),
        -measured.bytes,
        not measured.has_caption,
    )


def _duplicate(image: MeasuredImage, best: MeasuredImage) -> Issue:
    if image.digest == best.digest:
        return Issue("duplicate", "same file", f"It is the same file as {printable(best.name)}.", "exclude")
    larger = best.size[0] * best.size[1] > image.size[0] * image.size[1]
    which = ", which is larger" if larger else ""
    return Issue("duplicate", "near-duplicate", f"It shows the same as {printable(best.name)}{which}.", "exclude")


def _advice(images: Sequence[InspectedImage], skipped: Sequence[Skipped]) -> Iterator[str]:
    """Yield one or two sentences about the whole folder."""
    good = sum(image.good for image in images)
    target = f"{FEWEST} to {MOST} clear, sharp images that you can describe"
    if not images:
        also = f"; {_count(len(skipped), 'file was', 'files were')} skipped" if skipped else ""
        yield f"There is no readable image here{also}."
        return
    passed = f"{good} of {_count(len(images), 'image is', 'images are')} good"
    if good < FEWEST:
        yield f"{passed}; {target} are best: find {FEWEST - good} more."
    elif good > MOST:
        yield f"{passed}; {target} are enough, so you can choose the best of them."
    else:
        yield f"{passed}, which is enough to train on: {target}."
    if to_fix := [image for image in images if image.good and image.needs_fix]:
        labels = sorted({issue.kind for image in to_fix for issue in image.issues if issue.advice == "fix"})
        yield f"{len(to_fix)} of the good ones should be fixed first ({', '.join(labels)})."
    if bad := [image for image in images if not image.good]:
        reasons = [
            f"{printable(image.measured.name)} ({', '.join(i.label for i in image.issues if i.advice == 'exclude')})"
            for image in bad[:_NAMED]
        ]
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        yield f"Exclude {', '.join(reasons)}{more}."


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
