"""``<picture>-mask.png`` beside its picture: what counts in the loss, white, and what does not, black."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops

from lib_ti.data.images import PICTURE_SUFFIXES, open_picture


def mask_path(picture: Path) -> Path:
    """Where the mask of a picture is, if it has one."""
    return picture.with_name(f"{picture.stem}-mask.png")


def find_mask(picture: Path) -> Path | None:
    """The mask beside a picture; None where there is none."""
    path = mask_path(picture)
    # Beside a file that only its content shows to be a picture, the folder's listing takes it for a picture too.
    return path if picture.suffix.lower() in PICTURE_SUFFIXES and path.is_file() else None


def read_mask(path: Path, size: tuple[int, int], *, data: bytes | None = None) -> Image.Image:
    """The mask in a file, of any kind of picture, as "L" of ``size``, the size of its picture as it is seen.

    What is transparent in the file counts as black: masks are often painted on an empty layer. ``data`` is the file's
    bytes, where the caller has read them already.

    Raises
    ------
    UnreadablePicture
        When the file is no picture that can be used.
    """
    picture = open_picture(path, with_alpha=True, data=data)
    mask = picture.image.convert("L")
    if picture.alpha is not None:
        mask = ImageChops.multiply(mask, picture.alpha)
    return mask if mask.size == size else mask.resize(size, Image.Resampling.BILINEAR)


def both(first: Image.Image | None, second: Image.Image | None) -> Image.Image | None:
    """What two masks of one size count together, each in proportion; None where there is neither."""
    if first is None or second is None:
        return first or second
    return ImageChops.multiply(first, second)
