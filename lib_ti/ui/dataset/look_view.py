"""What there is to see on a page of the pictures that were looked over."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from lib_ti.prep.inspect.report import InspectionReport
from lib_ti.ui.dataset.look_columns import TOGETHER, ordered
from lib_ti.ui.dataset.look_query import BESIDE, Asked, Query
from lib_ti.ui.dataset.look_work import LookedOver, Seen


@dataclass(frozen=True)
class View:
    """All pictures as they are judged and decided about by now, and those of them that are asked for, in order."""

    looked: LookedOver
    asked: Asked
    report: InspectionReport
    pictures: tuple[Seen, ...]
    shown: tuple[Seen, ...]

    @classmethod
    def of(cls, looked: LookedOver, asked: Asked) -> View:
        pictures = looked.pictures(asked.config)
        shown = ordered(Query.of(asked.find).pick(pictures), asked.order)
        if asked.layout == BESIDE:
            # Groups are shown whole: those that have one of the pictures that are asked for.
            groups = {seen.judged.group for seen in shown} - {0}
            shown = ordered([seen for seen in pictures if seen.judged.group in groups], TOGETHER)
        return cls(looked, asked, looked.report(asked.config), pictures, tuple(shown))

    @property
    def remark(self) -> str:
        """Whose pictures these are, where the page's fields do not name the same folders; else empty."""
        folder = str(self.looked.looks.folder).encode(errors="replace").decode()
        if self.looked.fits(self.asked.source, self.asked.output):
            named = self.asked.source.strip()
            return "" if named else f"These are the pictures of {folder}, which was looked over last."
        return f"These are the pictures of {folder}. Other folders are named above by now: press “Look over”."

    @property
    def tally(self) -> str:
        """How many pictures are used, and for what they are judged, in two sentences."""
        different = [seen for seen in self.pictures if not seen.copy_of]
        used = sum(seen.in_use for seen in different)
        size = f"{self.asked.config.width} × {self.asked.config.height}"
        return (
            f"{used} of {len(different)} pictures are in use, {len(different) - used} excluded. "
            f"They are judged as they are at {size} pixels, the size for training."
        )


def stamp(looked: LookedOver, asked: Asked) -> str:
    """Stands for everything that a page shows: where it is the same, nothing need be shown anew."""
    try:
        decided = looked.folder.manifest.stat().st_mtime_ns
    except OSError:
        decided = 0
    return hashlib.sha256(f"{looked.key} {decided} {asked!r}".encode(errors="replace")).hexdigest()
