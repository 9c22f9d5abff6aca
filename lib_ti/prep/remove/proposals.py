"""Removals that are proposed for many images and wait for a review, in files of the prepared folder.

A proposal is no decision: preparing does not know of it until :func:`lib_ti.prep.remove.remove_text.keep` adds it to
the image's edits. It counts as long as the image's removed regions are those that it was made on top of.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from lib_ti.prep.edits import Edits, ImageEdits, RemovedRegion, region_from_json, region_to_json
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.remove.patches import InpaintedPatch, read_patch, write_patch
from lib_ti.storage.atomic import remove_abandoned, write_bytes, write_text

_FORMAT = 1
_QUALITY = 92
_REMEMBERED = 4096
"""Proposals kept in memory."""


@dataclass(frozen=True)
class Proposal:
    """What was found in one image.

    Attributes
    ----------
    digest, name
        SHA-256 of the image's file, and its path from the source folder.
    settings
        All that it was made by besides the image, as text.
    before
        Patches of the regions that were removed before, in their order.
    region
        The region that would be removed; None where nothing was found.
    accepted
        Whether it is kept with the others.
    """

    digest: str
    name: str
    settings: str
    before: tuple[str, ...] = ()
    region: RemovedRegion | None = None
    accepted: bool = True

    def fits(self, edits: ImageEdits) -> bool:
        """Whether it can still be added to an image's edits."""
        return not edits.excluded and self.before == patch_names(edits)


def patch_names(edits: ImageEdits) -> tuple[str, ...]:
    return tuple(region.patch for region in edits.removed_regions)


class Proposals:
    """The proposals of a prepared folder. Each is written whole, so that a killed program leaves the finished ones."""

    def __init__(self, folder: PreparedFolder) -> None:
        self._folder = folder.inner / "proposed-removals"

    def all(self) -> dict[str, Proposal]:
        """Return all proposals by digest; damaged files count as missing, since they are made again."""
        found = (_read(path, _version(path)) for path in sorted(self._folder.glob("*.json")))
        return {one.digest: one for one in found if one is not None}

    def pending(self, edits: Edits) -> list[Proposal]:
        """Return the proposals that still fit the images' edits, by the names of their images."""
        found = (one for one in self.all().values() if one.region is not None)
        return sorted((one for one in found if one.fits(edits.of(one.digest, one.name))), key=lambda one: one.name)

    def find(self, digest: str) -> Proposal | None:
        path = self._folder / f"{digest}.json"
        return _read(path, _version(path))

    def write(
        self,
        proposal: Proposal,
        patch: InpaintedPatch | None = None,
        pair: tuple[Image.Image, Image.Image] | None = None,
    ) -> None:
        """Write a proposal in place of an earlier one, with its patch and the pair of images to compare.

        Raises
        ------
        CannotWrite
            When the folder or the disk does not accept it.
        """
        before = self.find(proposal.digest)
        if patch is not None and pair is not None:
            write_patch(self._patch(proposal), patch)
            for path, image in zip(self.pair(proposal), pair, strict=True):
                _write_image(path, image)
        write_text(self._folder / f"{proposal.digest}.json", json.dumps(_to_json(proposal), indent=1) + "\n")
        if before is not None and before.region is not None and before.region != proposal.region:
            self._remove_files(before)

    def patch(self, proposal: Proposal) -> InpaintedPatch:
        """Read the patch of a proposal that has a region.

        Raises
        ------
        UnreadableImage
            When the file is missing or damaged.
        """
        assert proposal.region is not None
        return read_patch(self._patch(proposal), proposal.region)

    def pair(self, proposal: Proposal) -> tuple[Path, Path]:
        """Return the files of the two images to compare: before and after."""
        return self._file(proposal, "-before.jpg"), self._file(proposal, "-after.jpg")

    def decide(self, decisions: Mapping[str, bool]) -> None:
        """Accept proposals (true) or reject them, by digest; unknown ones are ignored."""
        for digest, accepted in decisions.items():
            found = self.find(digest)
            if found is not None and found.accepted != accepted:
                self.write(replace(found, accepted=accepted))

    def tidy(self) -> None:
        """Remove what a killed program left unfinished; proposals stay."""
        remove_abandoned(self._folder)

    def _remove_files(self, proposal: Proposal) -> None:
        if proposal.region is not None:
            for path in (self._patch(proposal), *self.pair(proposal)):
                path.unlink(missing_ok=True)

    def _patch(self, proposal: Proposal) -> Path:
        return self._file(proposal, ".png")

    def _file(self, proposal: Proposal, ending: str) -> Path:
        assert proposal.region is not None
        return self._folder / f"{proposal.digest[:16]}-{proposal.region.patch}{ending}"


def _write_image(path: Path, image: Image.Image) -> None:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    write_bytes(path, file.getvalue())


def _version(path: Path) -> tuple[int, int, int]:
    """Return what is different after a file was replaced."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(_REMEMBERED)
def _read(path: Path, version: tuple[int, int, int]) -> Proposal | None:  # noqa: ARG001
    """Read a file, once for each version of it: every decision asks for all of them."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT or content["digest"] != path.stem:
            return None
        region = content["region"]
        return Proposal(
            str(content["digest"]),
            str(content["name"]),
            str(content["settings"]),
            tuple(str(one) for one in content["before"]),
            None if region is None else region_from_json(region),
            bool(content["accepted"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _to_json(proposal: Proposal) -> dict[str, Any]:
    region = None if proposal.region is None else region_to_json(proposal.region)
    return {"format": _FORMAT, **vars(proposal), "before": list(proposal.before), "region": region}
