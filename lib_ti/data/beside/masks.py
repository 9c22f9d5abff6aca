"""Masks beside their images: white counts in the loss, black does not.

A mask is named after its image: ``x-mask.png``, as this program writes it, ``x-masklabel.png`` as OneTrainer does,
``x_mask.png`` and ``x.mask.png`` as other trainers do, the latter also for ``x.src.jpg``. In that order they count.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageChops

from lib_ti.data.beside.companions import MASK_LABELS, Beside
from lib_ti.data.images.decode import UnreadableImage, open_image
from lib_ti.data.images.formats import has_image_suffix

_SUFFIXES = (".png", ".webp", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
_SOURCE = ".src"
_SHAPE_TOLERANCE = 0.01
"""By how much, of 1, the aspect ratio of a mask may differ from its image's: more than rounding to pixels does."""


def mask_path(image: Path) -> Path:
    """Return where a mask of an image is written."""
    return image.with_name(f"{image.stem}-mask.png")


def find_masks(image: Path, beside: Beside | None = None) -> list[Path]:
    """Return the masks beside an image, the one that counts first.

    Parameters
    ----------
    beside
        The files of the image's folder, where the caller has listed them already.
    """
    if not has_image_suffix(image):  # the listing takes what stands beside such a file for images too
        return []
    beside = beside or Beside(image.parent)
    owners = dict.fromkeys((image.stem, image.stem.removesuffix(_SOURCE)))
    endings = [label + suffix for label in MASK_LABELS for suffix in _SUFFIXES]
    found = dict.fromkeys(path for owner in owners for ending in endings for path in beside.find(owner, ending))
    return [path for path in found if path != image]


def find_mask(image: Path, beside: Beside | None = None) -> Path | None:
    """Return the mask beside an image that counts; None where there is none."""
    return next(iter(find_masks(image, beside)), None)


def shape_problem(mask: tuple[int, int], image: tuple[int, int]) -> str | None:
    """Return why a mask of one size (width, height) does not fit an image of another, or None where it does.

    A mask of the same aspect ratio is resized. One of another shape would have to be stretched or cropped, and nobody
    can know which was meant: it is refused, and with it the image, since training on all of an image that has a mask is
    not what was asked for.
    """
    ratio = mask[0] * image[1] / (mask[1] * image[0])
    if abs(ratio - 1) <= _SHAPE_TOLERANCE:
        return None
    own, wanted = f"{mask[0]}×{mask[1]}", f"{image[0]}×{image[1]}"
    return f"it is {own} and the image is {wanted}; save it at the image's size, or remove it"


def read_mask(path: Path, size: tuple[int, int], *, data: bytes | None = None) -> Image.Image:
    """Read the mask in a file, of any kind of image, as "L" of ``size``, the size of its image as it is seen.

    What is transparent in the file counts as black: masks are often painted on an empty layer. ``data`` is the file's
    bytes, where the caller has read them already.

    Raises
    ------
    UnreadableImage
        When the file is no image that can be used, or has another aspect ratio than ``size``.
    """
    image = open_image(path, with_alpha=True, data=data)
    mask = image.image.convert("L")
    if problem := shape_problem(mask.size, size):
        raise UnreadableImage(path, problem)
    if image.alpha is not None:
        mask = ImageChops.multiply(mask, image.alpha)
    return mask if mask.size == size else mask.resize(size, Image.Resampling.BILINEAR)


def both(first: Image.Image | None, second: Image.Image | None) -> Image.Image | None:
    """Return the product of two masks of one size; None where there is neither."""
    if first is None or second is None:
        return first or second
    return ImageChops.multiply(first, second)
