"""Prepared folders of a source folder, and the images that were excluded by hand.

Decisions are kept in ``preparation.json`` of the prepared folder, since a source folder is never written to. A
small note for each source folder says which prepared folders it has.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.config import TrainConfig
from lib_ti.errors import BadInput
from lib_ti.paths import resolved
from lib_ti.storage.atomic import CannotWrite, write_text
from lib_ti.wording import counted, some

if TYPE_CHECKING:
    from lib_ti.data.dataset import Dataset

MANIFEST = "preparation.json"
_RENAMED_KEYS = {
    "left_out": "excluded",
    "frames": "crop_boxes",
    "frame": "crop_box",
    "erased": "removed_regions",
    "naming": "name_template",
    "named": "caption_from_name",
}
"""Keys of manifests of format 1, with today's names."""
RELATIVE_NOTES = Path(TrainConfig.log_directory) / ".preparations"
NOTES = RELATIVE_NOTES
"""Folder of the notes: below the current directory, until :func:`keep_notes_below` gives it a fixed place."""


def keep_notes_below(folder: Path) -> None:
    """Keep the notes below ``folder`` from now on, so that they are found whatever directory a program is started in.

    Notes below the current directory, where earlier versions wrote them, are still read.
    """
    global NOTES  # noqa: PLW0603 - one place for the whole process, like the current directory
    NOTES = resolved(folder) / RELATIVE_NOTES


def remember(source: Path, prepared: Path) -> None:
    """Note that ``prepared`` is the folder in which the images of ``source`` were last prepared.

    A note that cannot be written is ignored: the decision itself is safe in the prepared folder.
    """
    now, noted = str(resolved(prepared)), _noted(source)
    content = {"source": str(resolved(source)), "prepared": [*(one for one in noted if one != now), now]}
    try:
        if noted[-1:] == [now] and _note(source).is_file():
            os.utime(_note(source))  # the newest note is that of the folder used last
        else:
            write_text(_note(source), json.dumps(content, indent=1) + "\n")
    except (CannotWrite, OSError):
        return


def prepared_folders(source: Path) -> list[Path]:
    """Return the folders with decisions about the images of a source folder, the most recently used one last."""
    return [Path(one) for one in _noted(source) if (Path(one) / MANIFEST).is_file()]


def last_source() -> Path | None:
    """Return the source folder that was prepared last, if it still exists."""
    try:
        found = (note for folder in _folders() for note in folder.glob("*.json"))
        notes = sorted(found, key=os.path.getmtime, reverse=True)
    except OSError:
        return None
    sources = (Path(str(_read(note).get("source", ""))) for note in notes)
    return next((source for source in sources if source.is_absolute() and source.is_dir()), None)


@dataclass(frozen=True)
class Exclusions:
    """Images of a folder that were excluded by hand, as ``manifest`` has it.

    ``sources`` are source images, their names by the SHA-256 of their files; ``results`` are the names of what was
    made from them in a prepared folder.
    """

    manifest: Path = Path()
    sources: Mapping[str, str] = field(default_factory=dict)
    results: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """File names in the folder itself, to mark them in a list without reading every file."""
        return self.results or frozenset(self.sources.values())


def exclusions(folder: Path) -> Exclusions:
    """Return what is excluded from a prepared folder, or from a source folder by its most recent decisions.

    Raises
    ------
    BadInput
        When those decisions cannot be read.
    """
    own = folder / MANIFEST
    if own.is_file():
        return Exclusions(own, results=_excluded(own)[1])
    prepared = prepared_folders(folder)
    if not prepared:
        return Exclusions()
    manifest = prepared[-1] / MANIFEST
    return Exclusions(manifest, sources=_excluded(manifest)[0])


def without_excluded(found: Dataset) -> Dataset:
    """Return the dataset without the images that were excluded by hand, with a remark that names them.

    Raises
    ------
    BadInput
        When no image is left, or the decisions cannot be read.
    """
    excluded = exclusions(found.folder)
    paths = [item.path for item in found.all_items if item.digest in excluded.sources or item.name in excluded.results]
    if not paths:
        return found
    left = found.without(dict.fromkeys(paths, f"it is excluded, as {excluded.manifest} says"))
    is_or_are, them = ("is", "it") if len(paths) == 1 else ("are", "them")
    were = f"{counted(len(paths), 'image')} {is_or_are} excluded and not trained"
    again = (
        f"press Prepare to remove {them} from the folder" if excluded.results else f"include {them} to train on {them}"
    )
    remark = f"{were} (as {excluded.manifest} says; {again}): {some(sorted(path.name for path in paths))}."
    return replace(left, skipped=found.skipped, remarks=(*found.remarks, remark))


def renamed_keys(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping of a manifest with today's names for its keys."""
    return {_RENAMED_KEYS.get(key, key): value for key, value in content.items()}


def _excluded(manifest: Path) -> tuple[Mapping[str, str], frozenset[str]]:
    try:
        return _read_excluded(manifest, manifest.stat().st_mtime_ns)
    except OSError as error:
        raise BadInput(f"{manifest} cannot be read: {error.strerror or error}.") from error


@lru_cache(16)
def _read_excluded(
    manifest: Path,
    changed: int,  # noqa: ARG001 - a changed file has another key
) -> tuple[Mapping[str, str], frozenset[str]]:
    """Return the names of excluded source images by their SHA-256, and the names of the results made from them."""
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        edits = {digest: renamed_keys(one) for digest, one in content["edits"].items()}
        sources = {digest: str(one["name"]) for digest, one in edits.items() if one["excluded"]}
        results = frozenset(str(one["name"]) for one in content["results"] if one["source_digest"] in sources)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{manifest} is damaged ({error}), so it is not known which images are excluded; repair it, or move it "
            "away to use all images."
        ) from error
    return sources, results


def _folders() -> tuple[Path, ...]:
    """Return the folders that notes are read from, the one that they are written to first."""
    return tuple(dict.fromkeys((NOTES, RELATIVE_NOTES)))


def _note(source: Path, folder: Path | None = None) -> Path:
    name = str(resolved(source)).encode("utf-8", "surrogateescape")
    return (folder or NOTES) / f"{hashlib.sha256(name).hexdigest()[:32]}.json"


def _noted(source: Path) -> list[str]:
    notes = (_read(_note(source, folder)) for folder in _folders())
    listed: object = next((note.get("prepared", []) for note in notes if note), [])
    return [str(one) for one in listed] if isinstance(listed, list) else []


def _read(note: Path) -> Mapping[str, Any]:
    """Return the content of a note, empty where it is missing or cannot be read."""
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
