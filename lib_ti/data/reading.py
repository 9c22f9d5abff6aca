"""Reading the files of a dataset's items, which must still be those that were looked at."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image

from lib_ti.data.beside.masks import read_mask
from lib_ti.data.dataset import Item
from lib_ti.data.images.decode import UnreadableImage


def read_image(item: Item) -> bytes:
    """Return the bytes of the image's file.

    Raises
    ------
    UnreadableImage
        When the file cannot be read or is another one by now.
    """
    return _unchanged(item.path, item.digest, item.path, "the file")


def read_item_mask(item: Item, size: tuple[int, int]) -> Image.Image | None:
    """Return the mask beside the image, "L", at the size at which the image was decoded; None where there is none.

    Raises
    ------
    UnreadableImage
        When the mask cannot be used or is another one by now.
    """
    if item.mask is None:
        return None
    what = f"its mask {item.mask.name}"
    data = _unchanged(item.mask, item.mask_digest, item.path, what)
    try:
        return read_mask(item.mask, size, data=data)
    except UnreadableImage as error:
        raise UnreadableImage(item.path, f"{what} cannot be used: {error.reason}") from error


def _unchanged(path: Path, digest: str, image: Path, what: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableImage(image, f"{what} cannot be read ({error.strerror or error})") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise UnreadableImage(
            image, f"{what} was changed while the images were being read; start the run again to use it"
        )
    return data
