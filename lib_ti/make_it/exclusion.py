"""Which images are excluded by themselves: unusable ones, but not those that show what all of them show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from lib_ti.prep.inspect.issues import Issue
from lib_ti.prep.inspect.report import InspectedImage, InspectionReport
from lib_ti.wording import counted, printable, some

MOST_SHARE = 0.4
"""Share of the images from which on an issue belongs to the style rather than to single images."""
FEWEST_LEFT = 8
"""Images that remain at least; below that none is excluded."""
_SAME_FILE = "same file"


@dataclass(frozen=True)
class Exclusion:
    """Images to exclude, each with its reasons, and issues that were overlooked because many images have them."""

    images: tuple[tuple[InspectedImage, str], ...]
    overlooked: tuple[str, ...] = ()

    def describe(self) -> tuple[str, ...]:
        """Return full sentences."""
        lines = []
        if self.images:
            shown = [f"{printable(image.measured.name)} ({why})" for image, why in self.images]
            lines.append(f"Excluded {counted(len(shown), 'image')}: {some(shown, 12)}. Include them again in Inspect.")
        return (*lines, *self.overlooked)


def choose(report: InspectionReport) -> Exclusion:
    """Choose the images to exclude from a report."""
    counts = Counter(kind for image in report.images for kind in {_kind(one) for one in image.issues} if kind)
    total = len(report.images)
    common = {kind for kind, count in counts.items() if count > max(1, MOST_SHARE * total)}
    overlooked = tuple(
        f"{counts[kind]} of {total} images have the issue “{kind.replace('_', ' ')}”, which seems to belong to them: "
        "none is excluded for it."
        for kind in sorted(common)
    )
    chosen = _with_reasons(report, set(counts) - common)
    if total - len(chosen) < FEWEST_LEFT and chosen:
        said = f"{counted(len(chosen), 'image')} with issues stay, since too few would be left: see Inspect."
        chosen, overlooked = [], (*overlooked, said)
    copies = [image.measured.name for image in report.images if any(one.label == _SAME_FILE for one in image.issues)]
    if copies:
        overlooked = (*overlooked, f"Used once, being in the folder twice: {some(list(map(printable, copies)))}.")
    return Exclusion(tuple(chosen), overlooked)


def _kind(issue: Issue) -> str:
    """Return the kind of an issue that suggests excluding an image, else nothing.

    Decisions are about a file's content: the second copy of a file cannot be excluded by itself, and is never used.
    """
    return issue.kind if issue.advice == "exclude" and issue.label != _SAME_FILE else ""


def _with_reasons(report: InspectionReport, kinds: set[str]) -> list[tuple[InspectedImage, str]]:
    """Return images that have an issue of these kinds, with the issues' labels."""
    found = []
    for image in report.images:
        labels = [one.label for one in image.issues if _kind(one) in kinds]
        if labels:
            found.append((image, ", ".join(labels)))
    return found
