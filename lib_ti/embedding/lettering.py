"""Words as masks, with whatever font the machine has: none is shipped, and Pillow before 10.1 has only a bitmap."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_FONTS = (
    *("DejaVuSans.ttf", "Arial.ttf", "arial.ttf", "LiberationSans-Regular.ttf", "NotoSans-Regular.ttf"),
    *("NotoSansCJK-Regular.ttc", "msyh.ttc", "YuGothM.ttc", "malgun.ttf", "PingFang.ttc", "Arial Unicode.ttf"),
)
_UNKNOWN_SIGN = "\uffff"
_SMALLEST = 0.55
_ELLIPSIS = "..."


def letter(text: str, size: int, room: int) -> Image.Image:
    """``text`` in one line, ``L``, 255 where there is ink.

    Parameters
    ----------
    size
        Font size in pixels. Longer texts are set down to half of it, then cut.
    room
        Pixels that the mask may be wide.
    """
    mask = _line(text, size)
    if mask.width > room:
        mask = _line(text, max(int(size * room / mask.width), int(size * _SMALLEST), 1))
    kept = len(text)
    while mask.width > room and kept > 1:
        kept = min(kept - 1, int(kept * room / mask.width) + 1)
        mask = _line(text[:kept].rstrip() + _ELLIPSIS, max(int(size * _SMALLEST), 1))
    return mask.crop((0, 0, min(mask.width, max(room, 1)), mask.height))


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
    """The first font that has all signs of ``text`` beyond ASCII, else the first that there is."""
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
    """The font that comes with matplotlib, where that is installed: for machines without any of their own."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return []
    return [str(Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")]


def _has_all(font: ImageFont.FreeTypeFont, text: str) -> bool:
    unknown = bytes(font.getmask(_UNKNOWN_SIGN))
    return all(bytes(font.getmask(sign)) != unknown for sign in set(text) if not sign.isascii())
