"""Image formats by file suffix and by signature, and the Pillow plug-ins that some of them need."""

from __future__ import annotations

import importlib
from pathlib import Path

from PIL import Image

_COMMON = frozenset({".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
_RARE = frozenset({".tga", ".psd", ".ppm", ".pgm", ".jp2", ".ico", ".dds"})
_NEEDS_PLUGIN = frozenset({".heic", ".heif", ".avif", ".jxl"})
CAMERA_RAW = frozenset({".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2"})
IMAGE_SUFFIXES = _COMMON | _RARE | _NEEDS_PLUGIN | CAMERA_RAW
"""Suffixes that mean an image, whether or not the Pillow at hand reads the format."""

SIGNATURE_LENGTH = 64
"""Bytes that :func:`format_of` needs."""

_AVIF, _HEIC, _JXL = "AVIF", "HEIC", "JPEG XL"
_PLUGINS = {_AVIF: ("AVIF", "pillow_avif"), _HEIC: ("HEIF", "pillow_heif.HeifImagePlugin"), _JXL: ("JXL", "pillow_jxl")}
"""Pillow's name of a format, and the module that adds its decoder on import, where it is installed."""
_PLUGIN_SUFFIXES = {_AVIF: (".avif",), _HEIC: (".heic", ".heif"), _JXL: (".jxl",)}
CANNOT_DECODE = "which cannot be decoded here; save it as PNG or JPEG"
_BRANDS = {
    b"avif": _AVIF,
    b"avis": _AVIF,
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), _HEIC),
}
"""Brands of ISO base media files (ISO/IEC 23008-12 for HEIC, the AV1 image format for AVIF)."""


def has_image_suffix(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES


def format_of(data: bytes) -> str:
    """Return the format that a file's first bytes show beyond doubt; empty where none does."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")):
        return _JXL
    return _brand(data) if data[4:8] == b"ftyp" else ""


def needs_plugin(kind: str) -> bool:
    return kind in _PLUGINS


def cannot_decode(kind: str, path: Path) -> str:
    """Return why a file in a format that needs a plug-in is not used, as the end of a sentence."""
    under = "" if path.suffix.lower() in _PLUGIN_SUFFIXES[kind] else f" under the name {path.suffix}"
    return f"it is an image in the format {kind}{under}, {CANNOT_DECODE}"


def can_decode(kind: str) -> bool:
    """Whether Pillow decodes a format of :func:`format_of`, by itself or by a plug-in, which is then loaded."""
    if kind not in _PLUGINS:
        return True
    name, plugin = _PLUGINS[kind]
    Image.init()
    if name not in Image.OPEN:
        try:
            importlib.import_module(plugin)
        except ImportError:
            return False
    return name in Image.OPEN


def _brand(data: bytes) -> str:
    length = min(int.from_bytes(data[:4], "big"), SIGNATURE_LENGTH)
    # The major brand, its version, then the brands the file is compatible with; "mif1" alone stands for both.
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, length - 3, 4))]
    return next((_BRANDS[brand] for brand in brands if brand in _BRANDS), _HEIC if brands[0] == b"mif1" else "")
