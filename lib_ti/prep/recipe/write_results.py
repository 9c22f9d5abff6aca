"""Writing results into the prepared folder, where nothing that a person changed is lost."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PIL import Image

from lib_ti.atomic import write_bytes, write_text
from lib_ti.data.textfile import read_text
from lib_ti.prep.manifest import Result
from lib_ti.prep.prepared import PreparedFolder, file_digest
from lib_ti.prep.recipe.make import Made
from lib_ti.prep.recipe.plan import Planned

_COMPRESSION = 3
"""Of PNG, 0 to 9: half the time of Pillow's default 6, for files 7 % larger."""

_WORDS = {
    "erase": "a part erased ({by})",
    "crop": "cut out {how}",
    "enlarge": "enlarged {factor:.3g} times by {by}",
    "reduce": "reduced",
    "flip": "mirrored",
}
"""The operations' records in words."""

Tell = Callable[[str], None]
"""Called with a sentence about something of the user's that was put aside."""


def begun(planned: Planned) -> Result:
    """The manifest's entry of a result that is still to be made: the earlier one's where there is one."""
    if planned.earlier is not None:
        return replace(planned.earlier, name=planned.name, naming=planned.naming)
    return _unmade(planned)


def rename(folder: PreparedFolder, planned: Planned) -> None:
    """Give an earlier result its new name; its caption and mask follow."""
    if planned.renamed_from:
        for old, new in zip(folder.files(planned.renamed_from), folder.files(planned.name), strict=True):
            folder.set_aside(new)  # what came there since the plan was made
            folder.move(old, new)


def write(folder: PreparedFolder, planned: Planned, made: Made, tell: Tell) -> Result:
    """Write picture, caption and mask; the manifest's new entry.

    Captions that were changed by hand stay; so do masks, unless the result shows something else now. Everything else
    of the user's that would be overwritten is put aside.
    """
    wanted, before = planned.wanted, begun(planned)
    caption, kept = _write_caption(folder.caption(planned.name), wanted.caption, before.caption)
    if kept and before.source_digest != wanted.item.digest:
        tell(
            f"{planned.name} is made from {wanted.item.name}, which has changed; its caption was edited and is "
            "kept, so check it."
        )
    mask_digest = _write_mask(folder, planned.name, made, before, tell)
    picture = folder.picture(planned.name)
    data = _png(made.piece.image, made.piece.alpha)
    digest, there = hashlib.sha256(data).hexdigest(), file_digest(picture)
    if there not in ("", before.digest, digest):
        aside = folder.set_aside(picture)
        tell(f"{planned.name} was not as it had been made; what was there is now {aside}.")
    if there != digest:
        write_bytes(picture, data)
    return replace(
        _unmade(planned),
        frame=made.frame,
        digest=digest,
        caption=caption,
        mask_digest=mask_digest,
        operations=made.piece.record,
    )


def keep(folder: PreparedFolder, planned: Planned) -> Result:
    """The entry of a result that is not made again; its caption follows that of its source."""
    before = begun(planned)
    caption, _ = _write_caption(folder.caption(planned.name), planned.wanted.caption, before.caption)
    return replace(before, source=planned.wanted.item.name, caption=caption, named=planned.wanted.named)


def describe(result: Result) -> str:
    """What was done to which picture, in one line."""
    words = [_WORDS[one["operation"]].format(**one) for one in result.operations]
    return f"{result.source} → {result.name}: {', '.join(words) or 'as it was'}"


def _unmade(planned: Planned) -> Result:
    wanted = planned.wanted
    return Result(
        planned.name,
        planned.naming,
        wanted.item.name,
        wanted.item.digest,
        wanted.key,
        wanted.automatic,
        wanted.flipped,
        wanted.frame,
        named=wanted.named,
    )


def _write_caption(path: Path, caption: str, before: str | None) -> tuple[str, bool]:
    """Write a caption, unless the one there was edited; what counts as written now, and whether that one was kept.

    A caption was edited when it is not the one that was written ``before``.
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


def _write_mask(folder: PreparedFolder, name: str, made: Made, before: Result, tell: Tell) -> str:
    """Write a mask, or take the earlier one away; the digest of what was written, empty where nothing was."""
    path = folder.mask(name)
    data = b"" if made.piece.mask is None else _png(made.piece.mask, None)
    digest = hashlib.sha256(data).hexdigest() if data else ""
    there = file_digest(path)
    if there == digest:
        return digest
    if there not in ("", before.mask_digest):  # painted by hand
        if before.frame == made.frame:
            return before.mask_digest
        aside = folder.set_aside(path)
        tell(f"{name} shows something else now, so that the mask painted on it does not fit; it is {aside}.")
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
