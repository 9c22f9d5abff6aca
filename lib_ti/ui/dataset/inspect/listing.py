"""What a page lists of an inspection."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from lib_ti.prep.inspect.report import InspectionReport
from lib_ti.ui.dataset.inspect.columns import TOGETHER, ordered
from lib_ti.ui.dataset.inspect.query import SIDE_BY_SIDE, ListRequest, Query
from lib_ti.ui.dataset.inspect.state import Inspection, ListedImage
from lib_ti.wording import counted


@dataclass(frozen=True)
class Listing:
    """All images with their issues and decisions, and those of them that a page lists, in order."""

    inspection: Inspection
    request: ListRequest
    report: InspectionReport
    images: tuple[ListedImage, ...]
    shown: tuple[ListedImage, ...]

    @classmethod
    def of(cls, inspection: Inspection, request: ListRequest) -> Listing:
        images = inspection.images(request.config)
        shown = ordered(Query.of(request.find).filter(images), request.order)
        if request.layout == SIDE_BY_SIDE:
            # Groups are shown as a whole if one of their images matches.
            groups = {image.inspected.group for image in shown} - {0}
            shown = ordered([image for image in images if image.inspected.group in groups], TOGETHER)
        return cls(inspection, request, inspection.report(request.config), images, tuple(shown))

    @property
    def remark(self) -> str:
        """Which folder the images are from, where the page's fields have other folders; else empty."""
        folder = str(self.inspection.measured.folder).encode(errors="replace").decode()
        if self.inspection.matches(self.request.source, self.request.output):
            given = self.request.source.strip()
            return "" if given else f"These are the images of {folder}, which was inspected last."
        return f"These are the images of {folder}, but the fields above have other folders: press “Inspect”."

    @property
    def tally(self) -> str:
        """How many images are in use, and at which size they were inspected."""
        different = [image for image in self.images if not image.copy_of]
        used = sum(image.in_use for image in different)
        size = f"{self.request.config.width} × {self.request.config.height}"
        return (
            f"{used} of {counted(len(different), 'image')} {'is' if len(different) == 1 else 'are'} in use, "
            f"{len(different) - used} excluded. Inspected at the training size, {size} pixels."
        )


def stamp(inspection: Inspection, request: ListRequest) -> str:
    """Hash everything that a page shows: where it is equal, the page is up to date."""
    try:
        decided = inspection.folder.manifest.stat().st_mtime_ns
    except OSError:
        decided = 0
    return hashlib.sha256(f"{inspection.key} {decided} {request!r}".encode(errors="replace")).hexdigest()
