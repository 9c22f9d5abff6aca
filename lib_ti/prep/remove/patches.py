"""Inpainted patches, kept so that each is made only once."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace

from PIL import Image

from lib_ti.atomic import write_bytes
from lib_ti.data.images import UnreadablePicture, open_picture
from lib_ti.prep.edits import Erased
from lib_ti.prep.layered_image import Piece
from lib_ti.prep.prepared import PreparedFolder


@dataclass(frozen=True)
class Patch:
    """The pixels of an erased part: RGBA, opaque where it was painted over."""

    erased: Erased
    pixels: Image.Image


def apply(piece: Piece, patches: Iterable[Patch]) -> Piece:
    """The piece, which must have the size of its source, with patches laid onto it in their order."""
    image = piece.image.copy()
    record = list(piece.record)
    for patch in patches:
        image.paste(patch.pixels.convert("RGB"), patch.erased.box, patch.pixels.getchannel("A"))
        how = f"{patch.erased.method} {patch.erased.model}".strip()
        record.append({"operation": "erase", "box": list(patch.erased.box), "by": how})
    return replace(piece, image=image, record=tuple(record))


def save_patch(folder: PreparedFolder, patch: Patch) -> None:
    """Keep a patch; it stays when its erasing is undone, so that it can be done again."""
    file = io.BytesIO()
    patch.pixels.save(file, "PNG")
    write_bytes(folder.patches / f"{patch.erased.patch}.png", file.getvalue())


def load_patch(folder: PreparedFolder, erased: Erased) -> Patch:
    """A kept patch.

    Raises
    ------
    UnreadablePicture
        When it is gone or damaged.
    """
    path = folder.patch(erased.patch)
    try:
        picture = open_picture(path, with_alpha=True)
    except UnreadablePicture as error:
        raise UnreadablePicture(path, f"{error.reason}; undo that erasing and erase again") from error
    left, top, right, bottom = erased.box
    if picture.alpha is None or picture.image.size != (right - left, bottom - top):
        raise UnreadablePicture(path, "it is no patch of that erasing; undo it and erase again")
    picture.image.putalpha(picture.alpha)
    return Patch(erased, picture.image)
