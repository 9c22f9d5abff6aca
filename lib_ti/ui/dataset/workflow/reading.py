"""Read the state of a dataset from its folders and the manifest, so that it is right after a restart too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from lib_ti.config import PrepareConfig, with_present_names
from lib_ti.config.prepare import LANCZOS, NO_UPSCALER
from lib_ti.prep.edits import ImageEdits
from lib_ti.prep.inspect.record import InspectionRecord
from lib_ti.prep.manifest import Manifest, read_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.default_boxes import DefaultBoxes, read_default_boxes, settings_key
from lib_ti.prep.remove.proposals import Proposals
from lib_ti.ui.dataset.workflow.listing import contents_of
from lib_ti.ui.dataset.workflow.state import DatasetState, FolderContents, SourceImage

_WITHOUT_EFFECT = {"source", "output", "subfolders", "fill", "fill_prompt", "workers"}
"""Settings that change no result by themselves."""
_SETTINGS = [item.name for item in fields(PrepareConfig) if item.name not in _WITHOUT_EFFECT]


def read_state(
    source: Path, folder: PreparedFolder, values: Mapping[str, Any], record: InspectionRecord, unsaved: int = 0
) -> DatasetState:
    """Read the state of a source folder and a prepared folder, which need not exist.

    Parameters
    ----------
    values
        Values of the form with the settings of a preparation.
    record
        The last inspection.
    unsaved
        Captions of the prepared folder that are edited and not saved.

    Raises
    ------
    BadInput
        When the source folder cannot be listed, or the manifest is damaged.
    """
    found = contents_of(source, subfolders=bool(values.get("subfolders")))
    manifest, boxes = read_manifest(folder), read_default_boxes(folder)
    prepared = contents_of(folder.path) if folder.path.is_dir() else FolderContents()
    return DatasetState(
        source=str(source),
        size=(int(values.get("width") or 0), int(values.get("height") or 0)),
        images=tuple(_images(found, record, manifest, boxes)),
        results=tuple(one for one in manifest.results if one.digest and one.name in prepared.sizes),
        excluded_digests=frozenset(digest for digest, one in manifest.edits.by_digest.items() if one.excluded),
        settings_changed=_have_changed(manifest.settings, values),
        boxed=frozenset(boxes.by_digest),
        boxes_outdated=bool(boxes.key) and boxes.key != settings_key(values),
        prepared=prepared,
        without_caption=frozenset(_without_caption(prepared, manifest)),
        upscaled=values.get("upscaler", LANCZOS) not in (LANCZOS, NO_UPSCALER),
        unsaved=unsaved,
        proposed=frozenset(_proposed(found, folder, manifest)),
    )


def _proposed(found: FolderContents, folder: PreparedFolder, manifest: Manifest) -> Iterator[str]:
    """Yield the images with a proposed removal that is not rejected."""
    for one in Proposals(folder).pending(manifest.edits):
        if one.accepted and one.name in found.sizes:
            yield one.digest


def _without_caption(prepared: FolderContents, manifest: Manifest) -> Iterator[str]:
    from_names = {result.name: result.caption for result in manifest.results if result.caption_from_name}
    yield from (name for name, caption in prepared.captions.items() if caption in ("", from_names.get(name)))


def _have_changed(settings: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    before = with_present_names(PrepareConfig, settings)
    return any(name in before and name in values and before[name] != values[name] for name in _SETTINGS)


def _images(
    found: FolderContents, record: InspectionRecord, manifest: Manifest, boxes: DefaultBoxes
) -> Iterator[SourceImage]:
    """Yield the images, each content once, without files that cannot be used."""
    decided = {edits.name: digest for digest, edits in manifest.edits.by_digest.items()}
    made = {result.source: result.source_digest for result in manifest.results}
    known = {**decided, **made, **boxes.digests}
    seen = set()
    for name, size in found.sizes.items():
        inspected = record.find(name, size)
        digest = inspected.digest if inspected else known.get(name, "")
        if (inspected and not digest) or (digest and digest in seen):
            continue
        seen.add(digest)
        edits = manifest.edits.of(digest, name) if digest else ImageEdits(name)
        yield SourceImage(name, digest, edits, inspected)
