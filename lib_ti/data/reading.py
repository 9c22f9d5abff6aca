"""Reading the files of a dataset's items, which must still be those that were looked at."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image

from lib_ti.data.dataset import Item
from lib_ti.data.images import UnreadablePicture
from lib_ti.data.masks import read_mask


def read_picture(item: Item) -> bytes:
    """The bytes of the picture's file.

    Raises
    ------
    UnreadablePicture
        When the file cannot be read or is another one by now.
    """
    return _unchanged(item.path, item.digest, item.path, "the file")


def read_item_mask(item: Item, size: tuple[int, int]) -> Image.Image | None:
    """The mask beside the picture, "L", at the size at which the picture was decoded; None where there is none.

    Raises
    ------
    UnreadablePicture
        When the mask cannot be used or is another one by now.
    """
    if item.mask is None:
        return None
    what = f"its mask {item.mask.name}"
    data = _unchanged(item.mask, item.mask_digest, item.path, what)
    try:
        return read_mask(item.mask, size, data=data)
    except UnreadablePicture as error:
        raise UnreadablePicture(item.path, f"{what} cannot be used: {error.reason}") from error


def _unchanged(path: Path, digest: str, picture: Path, what: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadablePicture(picture, f"{what} cannot be read ({error.strerror or error})") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise UnreadablePicture(
            picture, f"{what} was changed while the pictures were being read; start again to use it"
        )
    return data
