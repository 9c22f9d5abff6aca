"""What is painted over a picture in a page, as the text that carries it between page and server.

``<key> <number> data:image/png;base64,…``: the key says which picture it belongs to, so that a mask never gets to
another one; the number is the page's own; the PNG's transparency is the layer. Without a PNG nothing is painted.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lib_ti.errors import BadInput

SHOWN = 2048
"""Longest side in pixels at which pictures are painted on."""
_BEGIN = "data:image/png;base64,"
_COLOUR = (230, 30, 60)
_MOST = 40_000_000
"""Letters; a layer of random noise has fewer."""
_HASH = 16


@dataclass(frozen=True)
class Painted:
    """``layer`` ("L") is 255 where it is painted over, of the size at which the picture was shown; None for nothing."""

    key: str
    number: str
    layer: Image.Image | None

    @property
    def name(self) -> str:
        """The file name of the picture that it belongs to."""
        return base64.urlsafe_b64decode(self.key.partition(".")[2]).decode("utf-8", "surrogateescape")

    def belongs_to(self, picture: Path) -> bool:
        return self.key == key_of(picture)

    def over(self, size: tuple[int, int]) -> Image.Image | None:
        """The layer at a picture's own size."""
        if self.layer is None or self.layer.size == size:
            return self.layer
        return self.layer.resize(size, Image.Resampling.BILINEAR)


def key_of(picture: Path) -> str:
    """Stands for a picture by its path; its file name can be read from it."""
    path = str(picture.absolute()).encode("utf-8", "surrogateescape")
    name = picture.name.encode("utf-8", "surrogateescape")
    return f"{hashlib.sha256(path).hexdigest()[:_HASH]}.{base64.urlsafe_b64encode(name).decode()}"


def shown_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size at which a picture of ``size`` is painted on."""
    scale = min(1.0, SHOWN / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def read(text: str) -> Painted:
    """What a page sent.

    Raises
    ------
    BadInput
        When it is nothing that a page of this program sends.
    """
    parts = text.split()
    if len(parts) not in (2, 3) or len(text) > _MOST:
        raise BadInput("The page sent something painted that cannot be read; load the page again.")
    key, number, *data = parts
    painted = Painted(key, number, _layer(data[0]) if data else None)
    try:
        _ = painted.name
    except ValueError as error:
        raise BadInput("The page sent something painted of no picture; load the page again.") from error
    return painted


def write(picture: Path, layer: Image.Image | None) -> str:
    """A layer for a page that shows the picture, reduced to the size at which it does."""
    begin = f"{key_of(picture)} 0"
    if layer is None or layer.getbbox() is None:
        return begin
    size = shown_size(layer.size)
    if size != layer.size:
        layer = layer.resize(size, Image.Resampling.BOX)
    image = Image.new("RGB", size, _COLOUR)
    image.putalpha(layer)
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"{begin} {_BEGIN}{base64.b64encode(file.getvalue()).decode()}"


def _layer(data: str) -> Image.Image:
    try:
        if not data.startswith(_BEGIN):
            raise ValueError("it is no PNG")
        with Image.open(io.BytesIO(base64.b64decode(data[len(_BEGIN) :], validate=True)), formats=("PNG",)) as image:
            if max(image.size) > SHOWN:
                raise ValueError("it is too large")
            return image.convert("RGBA").getchannel("A")
    except Exception as error:  # a damaged PNG raises whatever its decoder runs into
        raise BadInput("The page sent something painted that is no picture; load the page again.") from error
