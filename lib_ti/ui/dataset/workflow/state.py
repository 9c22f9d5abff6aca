"""State of a dataset: its images, and what was done to them. Knows neither Gradio nor files; see :mod:`.reading`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib_ti.prep.edits import ImageEdits
    from lib_ti.prep.inspect.record import RecordedFile
    from lib_ti.prep.manifest import Result


@dataclass(frozen=True)
class SourceImage:
    """An image of the source folder. ``digest`` is empty where it is not known, ``inspected`` None before that."""

    name: str
    digest: str
    edits: ImageEdits
    inspected: RecordedFile | None = None

    def fixes(self, *, upscaled: bool) -> tuple[str, ...]:
        """Return the kinds of issues that are still to be fixed.

        Removing or cropping by hand fixes text, and an upscaler what is too small.
        """
        fixed = {"text": bool(self.edits.key), "small": upscaled}
        return tuple(kind for kind in (self.inspected.fix if self.inspected else ()) if not fixed.get(kind))

    @property
    def suggested(self) -> bool:
        """Whether the inspection suggests to exclude it."""
        return bool(self.inspected and self.inspected.exclude)


@dataclass(frozen=True)
class FolderContents:
    """Images of a folder by name with their lengths in bytes and their captions, and the names of those with a mask.

    A caption is empty where it would be the image's file name.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    captions: Mapping[str, str] = field(default_factory=dict)
    with_mask: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DatasetState:
    """State of a source folder and the folder that it is prepared into.

    Attributes
    ----------
    size
        Training size in pixels.
    problem
        Why the folders cannot be used.
    results
        Finished results that are still there.
    settings_changed
        Whether the form's settings are others than those of the results.
    boxed
        SHA-256 of the images whose default crop boxes were shown.
    boxes_outdated
        Whether they were shown for other settings.
    without_caption
        Names of the prepared images whose caption is empty or only a file name.
    upscaled
        Whether an upscaler is chosen for images that are too small.
    unsaved
        Captions of the prepared folder that are edited and not saved.
    captions_elsewhere
        Whether the captions of another folder are edited.
    proposed
        SHA-256 of the images with a proposed removal that a review may still keep.
    """

    source: str = ""
    size: tuple[int, int] = (0, 0)
    problem: str = ""
    images: tuple[SourceImage, ...] = ()
    results: tuple[Result, ...] = ()
    excluded_digests: frozenset[str] = frozenset()
    settings_changed: bool = False
    boxed: frozenset[str] = frozenset()
    boxes_outdated: bool = False
    prepared: FolderContents = field(default_factory=FolderContents)
    without_caption: frozenset[str] = frozenset()
    upscaled: bool = False
    unsaved: int = 0
    captions_elsewhere: bool = False
    proposed: frozenset[str] = frozenset()

    @property
    def excluded(self) -> int:
        return sum(image.edits.excluded for image in self.images)

    @property
    def used(self) -> list[SourceImage]:
        return [image for image in self.images if not image.edits.excluded]

    @property
    def not_inspected(self) -> int:
        return sum(image.inspected is None for image in self.images)

    @property
    def suggested(self) -> int:
        """Images in use that the inspection suggests to exclude."""
        return sum(image.suggested for image in self.used)

    @property
    def to_fix(self) -> int:
        """Other images in use with an issue that is still to be fixed."""
        return sum(bool(image.fixes(upscaled=self.upscaled)) and not image.suggested for image in self.used)

    @property
    def with_text(self) -> int:
        """Images in use that contain text which is neither removed nor proposed to be removed."""
        found = (image for image in self.used if "text" in image.fixes(upscaled=self.upscaled))
        return sum(image.digest not in self.proposed for image in found)

    @property
    def without_box(self) -> int:
        """Images in use whose crop box was neither shown, nor drawn by hand, nor made into a result."""
        known = frozenset() if self.boxes_outdated else self.boxed
        if not self.settings_changed:
            known |= {result.source_digest for result in self.results}
        return sum(image.digest not in known and not image.edits.crop_boxes for image in self.used)

    @property
    def removed(self) -> int:
        """Images in use of which a region was removed."""
        return sum(bool(image.edits.removed_regions) for image in self.used)

    @property
    def not_prepared(self) -> int:
        """Images in use without a result."""
        digests = {result.source_digest for result in self.results}
        names = {result.source for result in self.results}
        return sum(not (image.digest in digests if image.digest else image.name in names) for image in self.used)

    @property
    def changed(self) -> int:
        """Images in use whose crop boxes or removed regions have changed since their results were made."""
        keys: dict[str, set[str | None]] = {}
        for result in self.results:
            keys.setdefault(result.source_digest, set()).add(result.edits_key)
        return sum(keys.get(image.digest, {None}).isdisjoint({None, image.edits.key}) for image in self.used)

    @property
    def obsolete(self) -> frozenset[str]:
        """Names of the results of excluded images."""
        return frozenset(one.name for one in self.results if one.source_digest in self.excluded_digests)

    @property
    def trained(self) -> frozenset[str]:
        """Names of the prepared images that would be trained."""
        return frozenset(self.prepared.sizes) - self.obsolete

    @property
    def captions_missing(self) -> int:
        """Prepared images that would be trained and have no caption of their own."""
        return len(self.trained & self.without_caption)

    @property
    def masks(self) -> int:
        """Prepared images that would be trained with a mask."""
        return len(self.trained & self.prepared.with_mask)
