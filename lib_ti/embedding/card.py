"""Cards: images that are working embedding files, in the WebUI too.

A PNG card carries its embedding twice: in the text chunk ``sd-ti-embedding`` and in its pixels, which survive copies
that drop the chunk. Lossless WebP has the pixels only. The WebUI's pixel code knows no SDXL, whose cards are PNG with
the chunk alone, and whose chunk may hold nothing but the vectors; the rest stands in a second one of ours.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy
import torch
from PIL import Image, PngImagePlugin

from lib_ti.embedding.cardface import draw_face, vector_colours
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.formats import card_reading
from lib_ti.embedding.formats.card_reading import CHUNK, DETAILS_CHUNK, SUFFIXES, TENSOR
from lib_ti.embedding.formats.pixelcode import frame
from lib_ti.embedding.layouts import details_of, embedding_of, webui_data
from lib_ti.embedding.verify import check_finite, check_written
from lib_ti.errors import BadInput
from lib_ti.storage.atomic import write_atomically

_STRIPES = 24


def make_card(image: Image.Image | None, embedding: Embedding) -> tuple[Image.Image, PngImagePlugin.PngInfo]:
    """Return the card of an embedding and the text chunks to save it with as PNG.

    Parameters
    ----------
    image
        Image of any size and mode; None for one made of the vectors. It is labelled with the
        embedding's name, model, number of vectors and steps.

    Returns
    -------
    card, chunks
        The card is RGB, at least 512 pixels on each side, and wider than its image by two blocks of code, but for
        SDXL, which the WebUI's pixel code does not know.
    """
    face = draw_face(image, embedding)
    data = webui_data(embedding)
    text = json.dumps(data, default=_encoded)
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text(CHUNK, base64.b64encode(text.encode()).decode())
    if "string_to_param" not in data:
        chunks.add_text(DETAILS_CHUNK, base64.b64encode(json.dumps(details_of(embedding)).encode()).decode())
        return face, chunks
    return frame(face, text.encode(), vector_colours(embedding, _STRIPES)), chunks


def save_card(path: Path, image: Image.Image | None, embedding: Embedding) -> None:
    """Write a ``.png`` or ``.webp`` card, and verify it before it takes its place.

    Raises
    ------
    CannotWrite
        The disk refuses it, the vectors are not finite, or it does not read back equal.
    BadInput
        The suffix is another, or ``.webp`` for an SDXL embedding.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise BadInput(f"{path} cannot be a card: use .png, or .webp, which is written without loss.")
    if path.stem.lower().endswith(".preview"):
        raise BadInput(f"{path} cannot be a card: the WebUI ignores .preview images. Use another name.")
    check_finite(embedding)
    card, chunks = make_card(image, embedding)
    if path.suffix.lower() == ".webp" and len(embedding.vectors) > 1:
        raise BadInput(
            f"{path} cannot hold an SDXL embedding: the WebUI reads those from .png. Use .png or .safetensors."
        )

    def write(beside: Path) -> None:
        if path.suffix.lower() == ".png":
            card.save(beside, "PNG", pnginfo=chunks)
        else:
            card.save(beside, "WEBP", lossless=True, quality=20, method=1)
        check_written(embedding, beside, read_card, path)

    write_atomically(path, write)


def read_card(path: Path) -> Embedding:
    """Read the embedding in a card; see :func:`lib_ti.embedding.formats.card_reading.read_card`."""
    return embedding_of(card_reading.read_card(path))


def _encoded(value: Any) -> dict[str, Any]:
    """Encode a tensor as the WebUI's JSON does, each number with the fewest digits that give the same float32."""
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"{type(value).__name__} is not plain data")
    exact = value.numpy()
    short = numpy.array([float(str(number)) for number in exact.ravel()]).reshape(exact.shape)
    return {TENSOR: numpy.where(short.astype(numpy.float32) == exact, short, exact.astype(numpy.float64)).tolist()}
