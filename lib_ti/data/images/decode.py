"""Opens images of every kind as plain RGB, and scales them to the training size."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from lib_ti.data.images import colour, formats, png
from lib_ti.errors import UserError

_ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_KEYED_MODES = frozenset({"P", "RGB", "L", "1"})
"""Modes in which one colour, or entries of the palette, may be marked as transparent."""
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transpositions that undo each EXIF orientation (EXIF 2.3, tag 0x0112); those from 5 on swap width and height."""

_REDUCING_GAP = 2.0
"""Large images are downscaled quickly to no less than this many times the final size, then by the good filter.

Pillow's documentation of ``Image.resize`` calls the result close to that of the good filter alone.
"""


class UnreadableImage(UserError):
    """A file is no usable image; ``reason`` says why, without the path, as the end of a sentence."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} cannot be used: {reason}.")


@dataclass(frozen=True)
class Header:
    """Facts from the beginning of an image file.

    ``size`` is (width, height) as the image is seen, after its EXIF turn. ``quantization`` are the tables of a JPEG
    file.
    """

    size: tuple[int, int]
    has_alpha: bool
    several_frames: bool = False
    bad_profile: bool = False
    quantization: Mapping[int, Sequence[int]] = field(default_factory=dict)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Ends of sentences that begin with the file's name."""
        remarks = (
            (self.several_frames, "it has several frames, of which the first is used"),
            (self.bad_profile, "its colour profile is damaged and not used"),
        )
        return tuple(text for applies, text in remarks if applies)


@dataclass(frozen=True)
class DecodedImage:
    """An RGB image, turned by its EXIF orientation; with its transparency ("L", 255: opaque) if requested."""

    image: Image.Image
    alpha: Image.Image | None = None


def read_file(path: Path) -> bytes:
    """Return the bytes of a file that may be an image.

    Of a file without an image's suffix only the beginning is read, unless its signature shows an image.

    Raises
    ------
    UnreadableImage
        When the file is empty, cannot be read, or is no image by suffix nor signature.
    """
    with _in_plain_words(path), path.open("rb") as file:
        # By its size: some files of /proc are empty by that, and whoever reads them waits for ever.
        if not os.fstat(file.fileno()).st_size:
            raise UnreadableImage(path, "the file is empty (0 bytes); copy or download it again")
        beginning = file.read(formats.SIGNATURE_LENGTH)
        if not (formats.has_image_suffix(path) or formats.format_of(beginning)):
            raise UnreadableImage(path, "it is not an image of a known kind")
        return beginning + file.read()


def read_header(path: Path, data: bytes | None = None) -> Header:
    """Read the header of an image without decoding it.

    Parameters
    ----------
    data
        The file's bytes, where the caller has read them already; ``path`` is then for the message only.

    Raises
    ------
    UnreadableImage
        When it is no image.
    """
    data = read_file(path) if data is None else data
    with _opened(path, data) as image:
        width, height = _stored_size(image)
        size = (height, width) if _orientation(image) >= 5 else (width, height)
        # A camera's MPO file holds previews beside the image, which are no frames.
        several = getattr(image, "is_animated", False) and image.format != "MPO"
        tables = getattr(image, "quantization", None) or {}
        return Header(size, _has_alpha(image), several, _has_bad_profile(image, data), tables)


def open_image(
    path: Path,
    *,
    with_alpha: bool = False,
    cover: tuple[int, int] | None = None,
    data: bytes | None = None,
) -> DecodedImage:
    """Decode an image of any kind that Pillow reads.

    Parameters
    ----------
    with_alpha
        Keep colours and transparency apart. Otherwise transparent parts are laid over white.
    cover
        The size (width, height) that the image will be downscaled to fill. Much larger JPEG files are then decoded at a
        fraction of their size, which is several times as fast.
    data
        The file's bytes, where the caller has read them already; ``path`` is then for the message only.

    Raises
    ------
    UnreadableImage
        Empty, cut off, damaged, no image at all, or too large to be opened safely.
    """
    with _opened(path, read_file(path) if data is None else data) as image:
        orientation = _orientation(image)
        if cover is not None:
            _decode_smaller(image, cover if orientation < 5 else cover[::-1])
        image.load()
        # Pillow turns TIFF files itself while loading them.
        turns = None if image.format == "TIFF" else _TURNS.get(orientation)
        turned = image if turns is None else image.transpose(turns)
        colours = colour.to_srgb(turned, image.info.get("icc_profile"))
        if not _has_alpha(turned):
            return DecodedImage(colours)
        alpha = turned.convert("RGBA").getchannel("A")
        if with_alpha:
            return DecodedImage(colours, alpha)
        over_white = Image.new("RGB", colours.size, "white")
        over_white.paste(colours, mask=alpha)
        return DecodedImage(over_white)


def decode_small(path: Path, data: bytes) -> Image.Image:
    """Decode all of an image file as cheaply as its format allows, JPEG at an eighth of its size; colours as stored.

    Raises
    ------
    UnreadableImage
        As :func:`open_image`.
    """
    with _opened(path, data) as image:
        image.draft(image.mode, (1, 1))
        image.load()
        return image


def enlargement(source: tuple[int, int], size: tuple[int, int]) -> float:
    """Return the factor that scales an image of ``source`` size to cover ``size``; above 1 it is upscaled."""
    return max(size[0] / source[0], size[1] / source[1])


def fill_and_crop(image: Image.Image, width: int, height: int) -> Image.Image:
    """Scale an image to cover ``width`` × ``height``, and crop its centre."""
    scale = enlargement(image.size, (width, height))
    inner_width, inner_height = min(width / scale, image.width), min(height / scale, image.height)
    left, top = (image.width - inner_width) / 2, (image.height - inner_height) / 2
    box = (left, top, left + inner_width, top + inner_height)
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box, reducing_gap=_REDUCING_GAP)


def multiple_of_8(size: tuple[int, int]) -> tuple[int, int]:
    """Return the greatest (width, height) within ``size`` that an autoencoder takes; 0 for a side under 8 pixels."""
    return size[0] // 8 * 8, size[1] // 8 * 8


def crop_centre(image: Image.Image, width: int, height: int) -> Image.Image:
    """Crop the centre of an image that is at least ``width`` × ``height``, without scaling."""
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def to_pixels(image: Image.Image) -> torch.Tensor:
    """Return an RGB image as (3, H, W) float32 in -1..1."""
    levels = torch.from_numpy(np.array(image, dtype=np.uint8))  # (H, W, 3), a copy: PIL's own memory is read-only
    return levels.permute(2, 0, 1).to(torch.float32, memory_format=torch.contiguous_format).div_(127.5).sub_(1.0)


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _ALPHA_MODES or (image.mode in _KEYED_MODES and "transparency" in image.info)


def _has_bad_profile(image: Image.Image, data: bytes) -> bool:
    profile = image.info.get("icc_profile")
    if profile:
        return colour.is_broken(image.mode, profile)
    return image.format == "PNG" and png.has_profile(data)


def _decode_smaller(image: Image.Image, cover: tuple[int, int]) -> None:
    scale = enlargement(image.size, cover) * _REDUCING_GAP
    if scale < 1:
        # Does something for JPEG only, before its pixels are decoded.
        image.draft(image.mode, (int(image.width * scale), int(image.height * scale)))


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height before the EXIF turn; newer Pillow returns those of a TIFF file after it."""
    tags = getattr(image, "tag_v2", {})
    return (tags[256], tags[257]) if image.format == "TIFF" and 256 in tags and 257 in tags else image.size


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1, upright, also for damaged EXIF data, which is no reason to refuse."""
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1  # Pillow would decode all pixels in search of EXIF data behind them
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - damaged EXIF data raises whatever its parser runs into
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


@contextmanager
def _opened(path: Path, data: bytes) -> Iterator[Image.Image]:
    """Open an image of any kind that Pillow reads, without inflating its text; errors are in plain words."""
    if path.suffix.lower() in formats.CAMERA_RAW:  # Pillow would take most of them for a TIFF of their thumbnail's size
        raise UnreadableImage(path, f"it is a camera's raw image ({path.suffix}), {formats.CANNOT_DECODE}")
    kind = formats.format_of(data)
    if not formats.can_decode(kind):
        raise UnreadableImage(path, formats.cannot_decode(kind, path))
    with _in_plain_words(path, kind), Image.open(io.BytesIO(png.without_text(data))) as image:
        yield image


@contextmanager
def _in_plain_words(path: Path, kind: str = "") -> Iterator[None]:
    """Turn whatever a decoder raises on damaged data into an :class:`UnreadableImage`.

    ``kind`` is the format that the file's first bytes show, if any.
    """
    try:
        yield
    except UnreadableImage:
        raise
    except Exception as error:  # each format's decoder has its own errors, and no file may stop a run
        unknown = isinstance(error, UnidentifiedImageError) and formats.needs_plugin(kind)
        raise UnreadableImage(path, formats.cannot_decode(kind, path) if unknown else _reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is not an image of a known kind"
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return "it has too many pixels to be opened safely; make it smaller"
    if isinstance(error, OSError) and error.errno is not None:
        return f"the file cannot be read ({error.strerror})"
    text = str(error)
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return "the file is cut off; copy or download it again"
    return f"the file is damaged ({text or type(error).__name__}); copy it again, or save it again as PNG or JPEG"
