"""Text as masks, in any font of the machine: none is shipped, and Pillow before 10.1 has only a bitmap font."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_FONTS = (
    *("DejaVuSans.ttf", "Arial.ttf", "arial.ttf", "LiberationSans-Regular.ttf", "NotoSans-Regular.ttf"),
    *("NotoSansCJK-Regular.ttc", "msyh.ttc", "YuGothM.ttc", "malgun.ttf", "PingFang.ttc", "Arial Unicode.ttf"),
)
_UNKNOWN_CHARACTER = "\uffff"
_SMALLEST = 0.55
_ELLIPSIS = "..."


def text_mask(text: str, size: int, width: int) -> Image.Image:
    """Return ``text`` in one line as ``L``, 255 where there is ink.

    Parameters
    ----------
    size
        Font size in pixels; down to half of it for long texts, which are then truncated.
    width
        Greatest width of the mask in pixels.
    """
    mask = _line(text, size)
    if mask.width > width:
        mask = _line(text, max(int(size * width / mask.width), int(size * _SMALLEST), 1))
    kept = len(text)
    while mask.width > width and kept > 1:
        kept = min(kept - 1, int(kept * width / mask.width) + 1)
        mask = _line(text[:kept].rstrip() + _ELLIPSIS, max(int(size * _SMALLEST), 1))
    return mask.crop((0, 0, min(mask.width, max(width, 1)), mask.height))


def _line(text: str, size: int) -> Image.Image:
    font = _font(text, size)
    if isinstance(font, ImageFont.FreeTypeFont):
        ascent, descent = font.getmetrics()
        mask = Image.new("L", (int(font.getlength(text)) + 2, ascent + descent))
        ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font)
        return mask
    text = text.encode("latin-1", "replace").decode("latin-1")
    width, height = font.getbbox(text)[2:]
    mask = Image.new("L", (max(width, 1), max(height, 1)))
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font)
    return mask.resize((max(1, round(mask.width * size / mask.height)), size), Image.Resampling.BICUBIC)


def _font(text: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the first font that has all characters of ``text`` beyond ASCII, else the first font found."""
    found: ImageFont.FreeTypeFont | None = None
    for name in (*_FONTS, *_fonts_of_matplotlib()):
        try:
            font = ImageFont.truetype(name, size)
        except OSError:
            continue
        if _has_all(font, text):
            return font
        found = found or font
    if found is not None:
        return found
    try:
        return ImageFont.load_default(size)  # type: ignore[call-arg,unused-ignore]
    except TypeError:
        return ImageFont.load_default()


def _fonts_of_matplotlib() -> list[str]:
    """Return the font that comes with matplotlib, where it is installed: for machines without any other."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return []
    return [str(Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")]


def _has_all(font: ImageFont.FreeTypeFont, text: str) -> bool:
    unknown = bytes(font.getmask(_UNKNOWN_CHARACTER))
    return all(bytes(font.getmask(sign)) != unknown for sign in set(text) if not sign.isascii())
