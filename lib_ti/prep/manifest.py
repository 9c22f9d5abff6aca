"""``preparation.json``: all manual decisions, and how each result was made, so that it can be made again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lib_ti.data.preparations import remember, renamed_keys
from lib_ti.errors import BadInput
from lib_ti.prep import edits as edits_json
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.storage.atomic import write_bytes, write_text
from lib_ti.storage.lock import locked

_FORMAT = 2
_READABLE_FORMATS = (1, 2)
"""Format 1 has other names for some keys; see :func:`lib_ti.data.preparations.renamed_keys`."""
_RENAMED_OPERATIONS = {"erase": "remove", "enlarge": "upscale", "reduce": "downscale"}
"""Names of operations in format 1, with today's."""


@dataclass(frozen=True)
class Result:
    """A result in the prepared folder, or one that was started: that has no ``digest``, the SHA-256 of its file.

    Attributes
    ----------
    name, name_template
        Its file name, and the template by which it was named.
    key
        Hash of everything that its pixels depend on.
    automatic
        Whether its crop box is the default one.
    crop_box
        What it shows of its source.
    caption
        The caption that was written; None before that.
    caption_from_name
        Whether that caption is only the source's file name.
    mask_digest
        SHA-256 of the mask that was written; empty for none.
    operations
        One mapping for each operation, in order.
    edits_key
        Stands for the manual decisions that it was made with; None where an earlier version made it.
    """

    name: str
    name_template: str
    source: str
    source_digest: str
    key: str
    automatic: bool
    flipped: bool
    crop_box: CropBox | None = None
    digest: str = ""
    caption: str | None = None
    mask_digest: str = ""
    operations: tuple[Mapping[str, Any], ...] = ()
    caption_from_name: bool = False
    edits_key: str | None = None


@dataclass(frozen=True)
class Manifest:
    """Content of the manifest; ``settings`` are those of the last preparation, plain values by name."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    edits: Edits = field(default_factory=Edits)
    results: tuple[Result, ...] = ()

    @property
    def source(self) -> str:
        return str(self.settings.get("source", ""))


def read_manifest(folder: PreparedFolder) -> Manifest:
    """Read the manifest of a prepared folder; where there is none, return the edits of the previous folder, if any.

    Raises
    ------
    BadInput
        When it cannot be read or is damaged. It is never treated as empty then, since it holds manual work.
    """
    path = folder.manifest
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        previous = folder.previous
        return Manifest() if previous is None else Manifest(edits=read_manifest(previous).edits)
    except OSError as error:
        raise BadInput(f"The manifest {path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise BadInput(_damaged(folder, error)) from error
    try:
        if content["format"] not in _READABLE_FORMATS:
            raise BadInput(
                f"The manifest {path} has the format {content['format']!r}, written by a newer program; "
                "use that, or choose another prepared folder."
            )
        results = tuple(_result_from_json(renamed_keys(one)) for one in content["results"])
        if len({one.name.casefold() for one in results}) < len(results):
            raise ValueError("two results have one name")
        return Manifest(dict(content["settings"]), edits_json.from_json(content["edits"]), results)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(_damaged(folder, error)) from error


def captions_from_file_names(folder: Path) -> dict[str, str]:
    """Return the captions that are only their sources' file names, as they were written, by the results' names.

    Empty where a folder is not a prepared one, or its manifest cannot be read.
    """
    try:
        results = read_manifest(PreparedFolder(folder)).results
    except BadInput:
        return {}
    return {one.name: one.caption for one in results if one.caption_from_name and one.caption}


def update_manifest(folder: PreparedFolder, change: Callable[[Manifest], Manifest]) -> Manifest:
    """Apply ``change`` to the manifest and write it; no other change, also by another program, comes in between.

    Raises
    ------
    BadInput
        When the manifest is damaged.
    CannotWrite
        When the folder or the disk does not accept it.
    """
    with locked(folder.inner / "manifest.lock"):
        before = read_manifest(folder)
        after = change(before)
        if after != before or not folder.manifest.exists():
            _copy_patches(folder, after.edits)
            write_text(folder.manifest, json.dumps(_to_json(after), indent=1) + "\n")  # names may not be Unicode
    if folder.source is not None:
        remember(folder.source, folder.path)
    return after


def update_edits(folder: PreparedFolder, change: Callable[[Edits], Edits]) -> Edits:
    """Apply ``change`` to the manual decisions and write them; see :func:`update_manifest`."""
    return update_manifest(folder, lambda manifest: replace(manifest, edits=change(manifest.edits))).edits


def describe_inherited(folder: PreparedFolder) -> str:
    """Return a sentence that says which decisions of the previous folder count in this one; empty where none do.

    Raises
    ------
    BadInput
        When the previous folder's manifest is damaged.
    """
    previous = folder.previous
    decided = "" if previous is None else read_manifest(previous).edits.describe()
    if previous is None or not decided:
        return ""
    return f"The decisions about these images in {previous.path} count for {folder.path} too: {decided}."


def _copy_patches(folder: PreparedFolder, edits: Edits) -> None:
    """Copy the patches of decisions that are inherited from the previous folder."""
    if folder.previous is None:
        return
    for one in edits.by_digest.values():
        for region in one.removed_regions:
            there, here = folder.patch(region.patch), folder.patches / f"{region.patch}.png"
            if there != here and there.exists():
                write_bytes(here, there.read_bytes())


def _to_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "settings": dict(manifest.settings),
        "edits": edits_json.to_json(manifest.edits),
        "results": [
            {**vars(one), "crop_box": one.crop_box and edits_json.crop_box_to_json(one.crop_box)}
            for one in manifest.results
        ],
    }


def _result_from_json(content: Mapping[str, Any]) -> Result:
    name = str(content["name"])
    if "/" in name or "\\" in name or name in ("", ".", ".."):  # it becomes part of a path
        raise ValueError(f"{name!r} is not a file name")
    crop_box, caption = content["crop_box"], content["caption"]
    return Result(
        name,
        str(content["name_template"]),
        str(content["source"]),
        str(content["source_digest"]),
        str(content["key"]),
        bool(content["automatic"]),
        bool(content["flipped"]),
        None if crop_box is None else edits_json.crop_box_from_json(crop_box),
        str(content["digest"]),
        None if caption is None else str(caption),
        str(content["mask_digest"]),
        tuple(_operation_from_json(one) for one in content["operations"]),
        bool(content.get("caption_from_name", False)),
        None if content.get("edits_key") is None else str(content["edits_key"]),
    )


def _operation_from_json(content: Mapping[str, Any]) -> Mapping[str, Any]:
    operation = str(content["operation"])
    return {**renamed_keys(content), "operation": _RENAMED_OPERATIONS.get(operation, operation)}


def _damaged(folder: PreparedFolder, error: Exception) -> str:
    return (
        f"The manifest {folder.manifest} is damaged ({error}); repair it, or move it away together with the results "
        "to prepare all images again."
    )
