"""The layer that is painted over an image in a page, as the text that carries it between page and server.

``<key> <number> data:image/png;base64,…``: the key identifies the image, so that a mask is never applied to another
one; the number identifies the message; the PNG's transparency is the layer. Without a PNG, nothing is painted. In place
of a number, the server writes where its layer comes from: see :data:`Origin`.
"""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from lib_ti.errors import BadInput

SHOWN = 2048
"""Longest side in pixels at which images are painted on."""
Origin = Literal["shown", "removed", "undone", "found", "file", "transparency", "none"]
"""Why a page gets a layer: its image is opened; what was painted is removed, or that is undone; text was found; a mask
was loaded, made of the transparency, or removed. The last four are steps that the page can undo."""
_PREFIX = "data:image/png;base64,"
_COLOR = (230, 30, 60)
_MOST = 40_000_000
"""Most characters; a layer of random noise has fewer."""
_HASH = 16


@dataclass(frozen=True)
class PaintedLayer:
    """``layer`` ("L") is 255 where it is painted, of the size at which the image was shown; None for nothing."""

    key: str
    number: str
    layer: Image.Image | None

    @property
    def name(self) -> str:
        """The file name of its image."""
        return base64.urlsafe_b64decode(self.key.partition(".")[2]).decode("utf-8", "surrogateescape")

    def belongs_to(self, image: Path) -> bool:
        return self.key == key_of(image)

    def at_size(self, size: tuple[int, int]) -> Image.Image | None:
        """Return the layer at an image's own size."""
        if self.layer is None or self.layer.size == size:
            return self.layer
        return self.layer.resize(size, Image.Resampling.BILINEAR)


def key_of(image: Path) -> str:
    """Return a key for an image by its path; the file name can be decoded from it."""
    path = str(image.absolute()).encode("utf-8", "surrogateescape")
    name = image.name.encode("utf-8", "surrogateescape")
    return f"{hashlib.sha256(path).hexdigest()[:_HASH]}.{base64.urlsafe_b64encode(name).decode()}"


def shown_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the size at which an image of ``size`` is painted on."""
    scale = min(1.0, SHOWN / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def read(text: str) -> PaintedLayer:
    """Parse a layer that a page sent.

    Raises
    ------
    BadInput
        When it is not a message of this program's pages.
    """
    parts = text.split()
    if len(parts) not in (2, 3) or len(text) > _MOST:
        raise BadInput("The page sent a painted layer that cannot be read; reload the page.")
    key, number, *data = parts
    painted = PaintedLayer(key, number, _layer(data[0]) if data else None)
    try:
        _ = painted.name
    except ValueError as error:
        raise BadInput("The page sent a painted layer without an image; reload the page.") from error
    return painted


def write(image: Path, layer: Image.Image | None, origin: Origin = "shown") -> str:
    """Return a layer as text for a page, downscaled to the size at which it shows the image."""
    prefix = f"{key_of(image)} {origin}"
    if layer is None or layer.getbbox() is None:
        return prefix
    size = shown_size(layer.size)
    if size != layer.size:
        layer = layer.resize(size, Image.Resampling.BOX)
    colored = Image.new("RGB", size, _COLOR)
    colored.putalpha(layer)
    file = io.BytesIO()
    colored.save(file, "PNG")
    return f"{prefix} {_PREFIX}{base64.b64encode(file.getvalue()).decode()}"


def _layer(data: str) -> Image.Image:
    try:
        if not data.startswith(_PREFIX):
            raise ValueError("not a PNG")
        with Image.open(io.BytesIO(base64.b64decode(data[len(_PREFIX) :], validate=True)), formats=("PNG",)) as image:
            if max(image.size) > SHOWN:
                raise ValueError("too large")
            return image.convert("RGBA").getchannel("A")
    except Exception as error:  # decoders raise many kinds of errors for a damaged PNG
        raise BadInput("The page sent a painted layer that is not an image; reload the page.") from error
