"""Opening pictures of every kind as plain RGB, and bringing them to the training size."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageCms, UnidentifiedImageError

from lib_ti.errors import UserError

_COMMON = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
_RARE = frozenset({".tga", ".psd", ".ppm", ".pgm", ".jp2", ".ico", ".dds"})
_NEEDS_PLUGIN = frozenset({".heic", ".heif", ".avif", ".jxl"})
_CAMERA_RAW = frozenset({".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2"})
PICTURE_SUFFIXES = _COMMON | _RARE | _NEEDS_PLUGIN | _CAMERA_RAW
"""Suffixes by which a person means a picture, whether or not the Pillow at hand reads the format."""

_UNSUPPORTED = "pictures cannot be read here; save it as PNG or JPEG"
_SURE_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF")
"""Formats with a signature that nothing else has; files without a picture's suffix must be one of these."""
_ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_KEYED_MODES = frozenset({"P", "RGB", "L", "1"})
"""Modes in which one colour, or entries of the palette, may be marked as transparent."""
_WHITE_LEVELS = {"F": (1.0, 255.0, 65535.0)}
"""Possible meanings of white in pictures with more than 8 bits: floats are written in any of these ranges."""

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
"""What undoes each EXIF orientation (EXIF 2.3, tag 0x0112); those from 5 on swap width and height."""

_REDUCING_GAP = 2.0
"""Big pictures are reduced quickly to no less than this many times the size wanted, then by the good filter.

Pillow's documentation of ``Image.resize`` calls the result close to that of the good filter alone.
"""


class UnreadablePicture(UserError):
    """A file is no picture that can be used; ``reason`` says why, without the path, as the end of a sentence."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} cannot be used: {reason}.")


@dataclass(frozen=True)
class Header:
    """What the beginning of a picture file tells.

    ``size`` is (width, height) as the picture is seen, after its EXIF turn; ``remark`` is what the user should know,
    or empty.
    """

    size: tuple[int, int]
    has_alpha: bool
    remark: str = ""


@dataclass(frozen=True)
class Picture:
    """An RGB picture, turned as its EXIF data asks; with its transparency ("L", 255: opaque) if that was asked for."""

    image: Image.Image
    alpha: Image.Image | None = None


def read_header(path: Path, file: BinaryIO) -> Header:
    """Look at the header of an open picture file without decoding it; ``path`` is for the message only.

    Raises
    ------
    UnreadablePicture
        When it is no picture.
    """
    suffix = path.suffix.lower()
    if suffix in _CAMERA_RAW:  # Pillow would take most of them for a TIFF of their thumbnail's size
        raise UnreadablePicture(path, f"{path.suffix} {_UNSUPPORTED}")
    formats = None if suffix in PICTURE_SUFFIXES else _SURE_FORMATS
    with _in_plain_words(path), Image.open(file, formats=formats) as image:
        width, height = _stored_size(image)
        size = (height, width) if _orientation(image) >= 5 else (width, height)
        # A camera's MPO file holds previews beside the picture, which are no frames.
        several = getattr(image, "is_animated", False) and image.format != "MPO"
        return Header(size, _has_alpha(image), "it has several frames, of which the first is used" if several else "")


def open_picture(
    path: Path,
    *,
    with_alpha: bool = False,
    cover: tuple[int, int] | None = None,
    data: bytes | None = None,
) -> Picture:
    """Decode a picture of any kind that Pillow reads.

    Parameters
    ----------
    with_alpha
        Keep colours and transparency apart. Otherwise transparent parts are laid over white.
    cover
        The size (width, height) that the picture will be reduced to fill. Much larger JPEG files are then decoded at a
        fraction of their size, which is several times as fast.
    data
        The file's bytes, where the caller has read them already; ``path`` is then for the message only.

    Raises
    ------
    UnreadablePicture
        Empty, cut off, damaged, no picture at all, or too large to be opened safely.
    """
    with _in_plain_words(path), Image.open(path if data is None else io.BytesIO(data)) as image:
        orientation = _orientation(image)
        if cover is not None:
            _decode_smaller(image, cover if orientation < 5 else cover[::-1])
        image.load()
        # Pillow turns TIFF files itself while loading them.
        turns = None if image.format == "TIFF" else _TURNS.get(orientation)
        turned = image if turns is None else image.transpose(turns)
        if not _has_alpha(turned):
            return Picture(_opaque(turned))
        rgba = turned.convert("RGBA")
        alpha = rgba.getchannel("A")
        if with_alpha:
            return Picture(rgba.convert("RGB"), alpha)
        over_white = Image.new("RGB", rgba.size, "white")
        over_white.paste(rgba, mask=alpha)
        return Picture(over_white)


def enlargement(source: tuple[int, int], size: tuple[int, int]) -> float:
    """The factor by which a picture of ``source`` size is scaled to cover ``size``; above 1 it is enlarged."""
    return max(size[0] / source[0], size[1] / source[1])


def fill_and_crop(image: Image.Image, width: int, height: int) -> Image.Image:
    """Scale a picture so that it covers ``width`` × ``height``, and crop what is over on both sides alike."""
    scale = enlargement(image.size, (width, height))
    inner_width, inner_height = min(width / scale, image.width), min(height / scale, image.height)
    left, top = (image.width - inner_width) / 2, (image.height - inner_height) / 2
    box = (left, top, left + inner_width, top + inner_height)
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box, reducing_gap=_REDUCING_GAP)


def multiple_of_8(size: tuple[int, int]) -> tuple[int, int]:
    """The greatest (width, height) within ``size`` that an autoencoder takes; 0 for a side under 8 pixels."""
    return size[0] // 8 * 8, size[1] // 8 * 8


def crop_centre(image: Image.Image, width: int, height: int) -> Image.Image:
    """The middle of a picture that is at least ``width`` × ``height``, pixel for pixel."""
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def to_pixels(image: Image.Image) -> torch.Tensor:
    """An RGB picture as (3, H, W) float32 in -1..1."""
    levels = torch.from_numpy(np.array(image, dtype=np.uint8))  # (H, W, 3), a copy: PIL's own memory is read-only
    return levels.permute(2, 0, 1).to(torch.float32, memory_format=torch.contiguous_format).div_(127.5).sub_(1.0)


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _ALPHA_MODES or (image.mode in _KEYED_MODES and "transparency" in image.info)


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image).convert("RGB")
    if image.mode == "CMYK" and image.info.get("icc_profile"):
        return _from_cmyk(image)
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey with 16 or 32 bits to 8; Pillow's own conversion cuts everything above 255 to white."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    peak = float(values.max())
    white = next((level for level in _WHITE_LEVELS.get(image.mode, (65535.0,)) if peak <= level), peak)
    return Image.fromarray((values / white * 255.0 + 0.5).clip(0, 255).astype(np.uint8))


def _from_cmyk(image: Image.Image) -> Image.Image:
    """Printing colours by their own profile; the plain formula makes them glaring."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError):  # a damaged profile is no reason to refuse the picture
        return image.convert("RGB")


def _decode_smaller(image: Image.Image, cover: tuple[int, int]) -> None:
    scale = enlargement(image.size, cover) * _REDUCING_GAP
    if scale < 1:
        # Does something for JPEG only, before its pixels are decoded.
        image.draft(image.mode, (int(image.width * scale), int(image.height * scale)))


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """Width and height before any EXIF turn; newer Pillow gives those of a TIFF file as they are after it."""
    tags = getattr(image, "tag_v2", {})
    return (tags[256], tags[257]) if image.format == "TIFF" and 256 in tags and 257 in tags else image.size


def _orientation(image: Image.Image) -> int:
    """1 to 8; 1, upright, also where the EXIF data is damaged, which is no reason to refuse the picture."""
    if image.format == "PNG" and not {"exif", "Raw profile type exif"} & image.info.keys():
        return 1  # Pillow would decode all pixels in search of EXIF data behind them
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - damaged EXIF data raises whatever its parser runs into
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


@contextmanager
def _in_plain_words(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises on damaged data into an :class:`UnreadablePicture`."""
    try:
        yield
    except Exception as error:  # each format's decoder has its own errors, and no file may stop a run
        raise UnreadablePicture(path, _reason(path, error)) from error


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        plugin = path.suffix.lower() in _NEEDS_PLUGIN
        return f"{path.suffix} {_UNSUPPORTED}" if plugin else "it is not a picture of a known kind"
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return "it has too many pixels to be opened safely; make it smaller"
    if isinstance(error, PermissionError | FileNotFoundError | IsADirectoryError):
        return f"the file cannot be read ({error.strerror})"
    text = str(error)
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return "the file is cut off; copy or download it again"
    return f"the file is damaged ({text or type(error).__name__}); copy it again, or save it anew as PNG or JPEG"
