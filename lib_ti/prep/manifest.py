"""``preparation.json``: what was decided by hand, and how each result was made, so that it can be made again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lib_ti.atomic import write_bytes, write_text
from lib_ti.data.preparations import remember
from lib_ti.errors import BadInput
from lib_ti.lock import locked
from lib_ti.prep import edits as edits_json
from lib_ti.prep.crop_box import Frame
from lib_ti.prep.edits import Edits
from lib_ti.prep.prepared import PreparedFolder

_FORMAT = 1


@dataclass(frozen=True)
class Result:
    """A result in the prepared folder, or one that was begun: without a ``digest``, the SHA-256 of its file.

    ``name`` is its file's and ``naming`` the pattern it was named by. ``key`` stands for everything that its pixels
    depend on. ``frame`` is the one it shows, ``automatic`` when nobody drew it. ``caption`` is what was written, None
    before that, and ``named`` says that it is only the source's file name. ``mask_digest`` is of the mask that was
    written. ``operations`` are the record of what was done.
    """

    name: str
    naming: str
    source: str
    source_digest: str
    key: str
    automatic: bool
    flipped: bool
    frame: Frame | None = None
    digest: str = ""
    caption: str | None = None
    mask_digest: str = ""
    operations: tuple[Mapping[str, Any], ...] = ()
    named: bool = False


@dataclass(frozen=True)
class Manifest:
    """All that is known of a prepared folder; ``settings`` are those of the last preparation, plain values by name."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    edits: Edits = field(default_factory=Edits)
    results: tuple[Result, ...] = ()

    @property
    def source(self) -> str:
        return str(self.settings.get("source", ""))


def read_manifest(folder: PreparedFolder) -> Manifest:
    """The manifest of a prepared folder; where there is none, one with the decisions of the earlier folder, if any.

    Raises
    ------
    BadInput
        When it cannot be read or is damaged. It is never taken for empty then, for it holds what was drawn by hand.
    """
    path = folder.manifest
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        earlier = folder.earlier
        return Manifest() if earlier is None else Manifest(edits=read_manifest(earlier).edits)
    except OSError as error:
        raise BadInput(f"The manifest {path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise BadInput(_damaged(folder, error)) from error
    try:
        if content["format"] != _FORMAT:
            raise BadInput(
                f"The manifest {path} has the format {content['format']!r}, written by a newer program; "
                "use that, or choose another prepared folder."
            )
        results = tuple(_result(one) for one in content["results"])
        if len({one.name.casefold() for one in results}) < len(results):
            raise ValueError("two results have one name")
        return Manifest(dict(content["settings"]), edits_json.from_json(content["edits"]), results)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(_damaged(folder, error)) from error


def names_for_captions(folder: Path) -> dict[str, str]:
    """Of results whose captions are only their sources' file names, these captions as they were written, by result.

    Empty where a folder is not a prepared one, or its manifest cannot be read.
    """
    try:
        results = read_manifest(PreparedFolder(folder)).results
    except BadInput:
        return {}
    return {one.name: one.caption for one in results if one.named and one.caption}


def update_manifest(folder: PreparedFolder, change: Callable[[Manifest], Manifest]) -> Manifest:
    """Write what ``change`` makes of the manifest; no other change comes in between, be it by another program.

    Raises
    ------
    BadInput
        When the manifest is damaged.
    CannotWrite
        When the folder or the disk does not take it.
    """
    with locked(folder.inner / "manifest.lock"):
        before = read_manifest(folder)
        after = change(before)
        if after != before or not folder.manifest.exists():
            _take_patches(folder, after.edits)
            write_text(folder.manifest, json.dumps(_to_json(after), indent=1) + "\n")  # names may be no Unicode
    if folder.source is not None:
        remember(folder.source, folder.path)
    return after


def update_edits(folder: PreparedFolder, change: Callable[[Edits], Edits]) -> Edits:
    """Write what ``change`` makes of what was decided by hand; as :func:`update_manifest`."""
    return update_manifest(folder, lambda manifest: replace(manifest, edits=change(manifest.edits))).edits


def taken_over(folder: PreparedFolder) -> str:
    """A sentence that says which decisions of an earlier folder count in this one; empty where none do.

    Raises
    ------
    BadInput
        When the earlier folder's manifest is damaged.
    """
    earlier = folder.earlier
    decided = "" if earlier is None else read_manifest(earlier).edits.describe()
    if earlier is None or not decided:
        return ""
    return f"What was decided about these images for {earlier.path} counts for {folder.path} too: {decided}."


def _take_patches(folder: PreparedFolder, edits: Edits) -> None:
    """Copy the patches of decisions that are taken over from an earlier folder."""
    if folder.earlier is None:
        return
    for one in edits.by_digest.values():
        for erased in one.erased:
            there, here = folder.patch(erased.patch), folder.patches / f"{erased.patch}.png"
            if there != here and there.exists():
                write_bytes(here, there.read_bytes())


def _to_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "settings": dict(manifest.settings),
        "edits": edits_json.to_json(manifest.edits),
        "results": [
            {**vars(one), "frame": one.frame and edits_json.frame_to_json(one.frame)} for one in manifest.results
        ],
    }


def _result(content: Mapping[str, Any]) -> Result:
    name = str(content["name"])
    if "/" in name or "\\" in name or name in ("", ".", ".."):  # it becomes part of a path
        raise ValueError(f"{name!r} is no file name")
    frame = content["frame"]
    caption = content["caption"]
    return Result(
        name,
        str(content["naming"]),
        str(content["source"]),
        str(content["source_digest"]),
        str(content["key"]),
        bool(content["automatic"]),
        bool(content["flipped"]),
        None if frame is None else edits_json.frame_from_json(frame),
        str(content["digest"]),
        None if caption is None else str(caption),
        str(content["mask_digest"]),
        tuple(dict(one) for one in content["operations"]),
        bool(content.get("named", False)),
    )


def _damaged(folder: PreparedFolder, error: Exception) -> str:
    return (
        f"The manifest {folder.manifest} is damaged ({error}); repair it, or move it away together with the results "
        "to prepare all pictures anew."
    )
