"""Reads embeddings from cards, ours and the WebUI's; see :mod:`lib_ti.embedding.card` for the format."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from lib_ti.embedding.formats.contents import Contents, contents_from
from lib_ti.embedding.formats.pixelcode import read_frame
from lib_ti.errors import BadInput

CHUNK = "sd-ti-embedding"
DETAILS_CHUNK = "sd-ti-details"
SUFFIXES = (".png", ".webp")
TENSOR = "TORCHTENSOR"


def read_card(path: Path) -> Contents:
    """Read the embedding in a card, ours or the WebUI's.

    Raises
    ------
    BadInput
        The file is no image, or has no embedding, for example because it was saved as JPEG, resized or edited.
    """
    try:
        with Image.open(path) as image:
            image.load()
            texts = {key: str(value) for key, value in getattr(image, "text", {}).items()}
            found = _data(texts, image)
    except (OSError, SyntaxError, ValueError, struct.error, EOFError, Image.DecompressionBombError) as error:
        raise BadInput(f"{path} cannot be read as an image: {error}.") from error
    if not isinstance(found, Mapping):
        raise BadInput(
            f"{path} holds no embedding. Cards lose it when they are saved as JPEG, resized or edited; "
            "use the original file."
        )
    details = _parsed(texts[DETAILS_CHUNK]) if DETAILS_CHUNK in texts else found
    details = details if isinstance(details, Mapping) else {}
    name = details.get("name")
    return contents_from(
        found, name=name if isinstance(name, str) and name else path.stem, source=path, details=details
    )


def _data(texts: Mapping[str, str], image: Image.Image) -> Any:
    if CHUNK in texts:
        return _parsed(texts[CHUNK])
    payload = read_frame(image)
    return None if payload is None else _decoded(payload)


def _parsed(text: str) -> Any:
    try:
        return _decoded(base64.b64decode(text))
    except binascii.Error:
        return None


def _decoded(payload: bytes) -> Any:
    try:
        return json.loads(payload, object_hook=_with_tensor)
    except (ValueError, RecursionError):
        return None


def _with_tensor(item: dict[str, Any]) -> Any:
    if TENSOR not in item:
        return item
    try:
        return numpy.array(item[TENSOR], dtype=numpy.float64)
    except (TypeError, OverflowError, ValueError) as error:
        raise ValueError("not a tensor") from error
