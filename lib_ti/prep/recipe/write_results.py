"""Write results into the prepared folder without losing anything that a person changed there."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PIL import Image

from lib_ti.data.textfile import read_text
from lib_ti.prep.manifest import Result
from lib_ti.prep.prepared import PreparedFolder, file_digest
from lib_ti.prep.recipe.make import RenderedResult
from lib_ti.prep.recipe.plan import PlannedResult
from lib_ti.storage.atomic import write_bytes, write_text

_COMPRESSION = 3
"""PNG compression, 0 to 9: half the time of Pillow's default 6, for files 7 % larger."""

_DESCRIPTIONS = {
    "remove": "a region removed ({by})",
    "crop": "cropped {how}",
    "upscale": "upscaled {factor:.3g} times by {by}",
    "downscale": "downscaled",
    "flip": "mirrored",
}
"""Descriptions of the recorded operations."""

AddNote = Callable[[str], None]
"""Called with a sentence about each of the user's files that was set aside."""


def initial_result(planned: PlannedResult) -> Result:
    """Return the manifest's entry of a result before it is made: the earlier one's where there is one."""
    if planned.earlier is not None:
        return replace(planned.earlier, name=planned.name, name_template=planned.name_template)
    return _new_result(planned)


def rename(folder: PreparedFolder, planned: PlannedResult) -> None:
    """Give an earlier result its new name, with its caption and mask."""
    if planned.renamed_from:
        for old, new in zip(folder.files(planned.renamed_from), folder.files(planned.name), strict=True):
            folder.set_aside(new)  # a file that appeared since the plan was made
            folder.move(old, new)


def write(folder: PreparedFolder, planned: PlannedResult, rendered: RenderedResult, add_note: AddNote) -> Result:
    """Write image, caption and mask; return the manifest's new entry.

    Captions that were edited stay; so do masks, unless the result now shows another region. Any other file of the
    user's that would be overwritten is set aside.
    """
    spec, before = planned.spec, initial_result(planned)
    caption, kept = _write_caption(folder.caption(planned.name), spec.caption, before.caption)
    if kept and before.source_digest != spec.item.digest:
        add_note(
            f"{planned.name} is made from {spec.item.name}, which has changed; its caption was edited and is "
            "kept, so check it."
        )
    mask_digest = _write_mask(folder, planned.name, rendered, before, add_note)
    path = folder.image(planned.name)
    data = _png(rendered.layered.image, rendered.layered.alpha)
    digest, existing = hashlib.sha256(data).hexdigest(), file_digest(path)
    if existing not in ("", before.digest, digest):
        aside = folder.set_aside(path)
        add_note(f"{planned.name} was changed since it was made; the changed file is now {aside}.")
    if existing != digest:
        write_bytes(path, data)
    return replace(
        _new_result(planned),
        crop_box=rendered.crop_box,
        digest=digest,
        caption=caption,
        mask_digest=mask_digest,
        operations=rendered.layered.record,
    )


def keep_unchanged(folder: PreparedFolder, planned: PlannedResult) -> Result:
    """Return the entry of a result that is not made again; its caption follows that of its source."""
    before = initial_result(planned)
    caption, _ = _write_caption(folder.caption(planned.name), planned.spec.caption, before.caption)
    return replace(
        before,
        source=planned.spec.item.name,
        caption=caption,
        caption_from_name=planned.spec.caption_from_name,
        edits_key=planned.spec.edits.key,
    )


def describe(result: Result) -> str:
    """Return one line that says what was done to which image."""
    operations = [_DESCRIPTIONS[one["operation"]].format(**one) for one in result.operations]
    return f"{result.source} → {result.name}: {', '.join(operations) or 'unchanged'}"


def _new_result(planned: PlannedResult) -> Result:
    spec = planned.spec
    return Result(
        planned.name,
        planned.name_template,
        spec.item.name,
        spec.item.digest,
        spec.key,
        spec.automatic,
        spec.flipped,
        spec.crop_box,
        caption_from_name=spec.caption_from_name,
        edits_key=spec.edits.key,
    )


def _write_caption(path: Path, caption: str, before: str | None) -> tuple[str, bool]:
    """Write a caption, unless the file's was edited: it is then not the one that was written ``before``.

    Return the caption to record as written, and whether an edited one was kept.
    """
    try:
        text = read_text(path)[0]
    except FileNotFoundError:
        text = None
    if text is None or text == before:
        if text != caption:
            write_text(path, caption)
        return caption, False
    return (caption, text != caption) if before is None else (before, True)


def _write_mask(folder: PreparedFolder, name: str, rendered: RenderedResult, before: Result, add_note: AddNote) -> str:
    """Write a mask, or set the earlier one aside; return the digest of what was written, empty for none."""
    path = folder.mask(name)
    data = b"" if rendered.layered.mask is None else _png(rendered.layered.mask, None)
    digest = hashlib.sha256(data).hexdigest() if data else ""
    existing = file_digest(path)
    if existing == digest:
        return digest
    if existing not in ("", before.mask_digest):  # painted by hand
        if before.crop_box == rendered.crop_box:
            return before.mask_digest
        aside = folder.set_aside(path)
        add_note(f"{name} now shows another region, so the mask painted on it does not fit; it is {aside}.")
    if data:
        write_bytes(path, data)
    else:
        folder.set_aside(path)
    return digest


def _png(image: Image.Image, alpha: Image.Image | None) -> bytes:
    if alpha is not None:
        image = image.copy()
        image.putalpha(alpha)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=_COMPRESSION)
    return file.getvalue()
