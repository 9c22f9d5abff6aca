"""Colours as sRGB, which models are trained on, whatever colour profile a file carries."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_TOLERANCE = 1
"""Levels of 255 by which a profile may differ from sRGB and still count as sRGB."""
_WHITE_LEVELS = {"F": (1.0, 255.0, 65535.0)}
"""Possible meanings of white in images with more than 8 bits: floats are written in any of these ranges."""
_STEPS = 6
_ERRORS = (ImageCms.PyCMSError, OSError, TypeError, ValueError)
"""Errors of littlecms, through Pillow, on a damaged profile, or on one of another kind of image."""


@dataclass(frozen=True)
class _Conversion:
    """Conversion of a profile to sRGB; ``transform`` is None where the colours are sRGB, or it is impossible."""

    transform: ImageCms.ImageCmsTransform | None = None
    broken: bool = False


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the colours of an image of any mode, without its transparency, as RGB in sRGB.

    Parameters
    ----------
    profile
        The ICC profile embedded in the file. Without one, and with one that is broken or belongs to another kind of
        image, the levels count as sRGB. The rendering intent is perceptual, Pillow's default.
    """
    image = _eight_bits(image)
    fitting = _fitting(image.mode, profile)
    conversion = _conversion(fitting, profile) if profile else _Conversion()
    if conversion.transform is not None:
        if image.mode != fitting:
            image = image.convert(fitting)
        return ImageCms.applyTransform(image, conversion.transform) or image
    if image.mode == "LAB":  # Pillow has no other way out of it
        lab = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        return ImageCms.applyTransform(image, lab) or image
    return image if image.mode == "RGB" else image.convert("RGB")


def is_broken(mode: str, profile: bytes) -> bool:
    """Return whether a profile cannot be used for images of a mode."""
    return _conversion(_fitting(_colour_mode(mode), profile), profile).broken


def _fitting(mode: str, profile: bytes | None) -> str:
    # Grey images often carry the profile of an RGB one; bytes 16 to 20 of a profile name its kind.
    return "RGB" if mode == "L" and profile and profile[16:20] == b"RGB " else mode


@lru_cache(maxsize=32)
def _conversion(mode: str, profile: bytes) -> _Conversion:
    """Return the conversion of a profile, built once for all images that carry it."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except _ERRORS:
        return _Conversion(broken=True)
    return _Conversion() if _changes_nothing(transform, mode) else _Conversion(transform)


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Return whether a conversion changes no colour, tried on the whole range; profiles' names say little."""
    if mode not in ("L", "RGB"):
        return False
    levels = np.linspace(0, 255, _STEPS).round().astype(np.uint8)
    probe = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    if mode == "RGB":
        probe = Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3))
    converted = ImageCms.applyTransform(probe, transform) or probe
    difference = np.asarray(converted, dtype=int) - np.asarray(probe.convert("RGB"), dtype=int)
    return bool(np.abs(difference).max() <= _TOLERANCE)


def _colour_mode(mode: str) -> str:
    """Return the mode with 8 bits a channel and no transparency for the colours of a mode."""
    if mode in ("1", "L", "LA", "La") or mode.startswith(("I", "F")):
        return "L"
    return mode if mode in ("CMYK", "LAB") else "RGB"


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return the colours with 8 bits a channel, without transparency."""
    if image.mode.startswith(("I", "F")):
        return _from_deep_grey(image)
    if image.mode in ("La", "RGBa"):  # multiplied with their transparency
        image = image.convert(image.mode.upper())
    elif image.mode in ("P", "PA"):  # Pillow warns of other ways where some of its colours are transparent
        image = image.convert("RGBA")
    mode = _colour_mode(image.mode)
    return image if image.mode == mode else image.convert(mode)


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """Convert grey with 16 or 32 bits to 8; Pillow's own conversion clips everything above 255."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    peak = float(values.max())
    white = next((level for level in _WHITE_LEVELS.get(image.mode, (65535.0,)) if peak <= level), peak)
    return Image.fromarray((values / white * 255.0 + 0.5).clip(0, 255).astype(np.uint8))
