"""Face of a card: an image, or colours made of the vectors, with name, model, vectors and steps."""

from __future__ import annotations

import numpy
from PIL import Image, ImageFilter, ImageOps

from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.formats.pixelcode import Pixels
from lib_ti.embedding.text_mask import text_mask
from lib_ti.families.registry import family_of_widths

CARD_SIDE = 512
"""Smallest width and height of a card in pixels, so that its text can be read."""
MAX_SIDE = 2048

_MARGIN = 0.045
_TITLE, _DETAIL = 0.09, 0.037
_WHITE, _GREY = (255, 255, 255), (214, 214, 214)


def draw_face(image: Image.Image | None, embedding: Embedding) -> Image.Image:
    """Return the card's image (RGB, sides between :data:`CARD_SIDE` and :data:`MAX_SIDE`) with its text."""
    card = backdrop(embedding) if image is None else _fitted(image)
    width, height = card.size
    unit = min(width, height)
    margin = round(unit * _MARGIN)
    available = width - 2 * margin
    name = text_mask(embedding.name, round(unit * _TITLE), available)
    model, numbers = _details(embedding)
    right = text_mask(numbers, round(unit * _DETAIL), available // 2)
    left = text_mask(model, round(unit * _DETAIL), available - right.width - margin)
    base = height - margin
    title_top = base - max(left.height, right.height) - round(margin * 0.15) - name.height
    card = _shaded(card, title_top - 2 * margin)
    card.paste(_WHITE, (margin, title_top), name)
    card.paste(_GREY, (margin, base - left.height), left)
    card.paste(_GREY, (width - margin - right.width, base - right.height), right)
    return card


def backdrop(embedding: Embedding, side: int = CARD_SIDE) -> Image.Image:
    """Return soft colours that differ from embedding to embedding, for cards without an image."""
    grid = vector_colours(embedding, 25).reshape(5, 5, 3)
    # Blurred while small, which is fast and looks the same.
    small = Image.fromarray(grid).resize((64, 64), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(3))
    return small.resize((side, side), Image.Resampling.BICUBIC)


def vector_colours(embedding: Embedding, count: int) -> Pixels:
    """Return ``count`` colours, (count, 3) uint8, that depend on the vectors' values."""
    values = numpy.concatenate([vectors.numpy().ravel() for vectors in embedding.snapshot().vectors.values()])
    values = numpy.resize(values, (count, 2))
    # By rank, so that colours spread evenly whatever the values' scale.
    ranks = values.ravel().argsort().argsort().reshape(values.shape) / max(values.size - 1, 1)
    hue = 255 * (0.52 + 0.42 * ranks[:, 0])
    hsv = numpy.stack([hue, numpy.full(count, 150), 90 + 120 * ranks[:, 1]], axis=1).astype(numpy.uint8)
    colours: Pixels = numpy.asarray(Image.fromarray(hsv[None], "HSV").convert("RGB"))[0].copy()
    return colours


def _details(embedding: Embedding) -> tuple[str, str]:
    vectors = f"{embedding.count} vector{'s' if embedding.count != 1 else ''}"
    model = embedding.model_name or _family_label(embedding)
    if embedding.model_hash:
        model = f"{model} [{embedding.model_hash}]".strip()
    return model, f"{vectors} · {embedding.step} step{'s' if embedding.step != 1 else ''}"


def _family_label(embedding: Embedding) -> str:
    family = family_of_widths(embedding.widths)
    return family.label if family else ""


def _fitted(image: Image.Image) -> Image.Image:
    """Fit an image to a card: small ones upscaled, narrow ones in front of a blurred copy of themselves."""
    image = ImageOps.exif_transpose(image).convert("RGB")
    longest = max(image.size)
    scale = CARD_SIDE / longest if longest < CARD_SIDE else min(1.0, MAX_SIDE / longest)
    if scale != 1.0:
        size = tuple(max(1, round(side * scale)) for side in image.size)
        image = image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    if min(image.size) >= CARD_SIDE:
        return image
    size = max(image.width, CARD_SIDE), max(image.height, CARD_SIDE)
    card = ImageOps.fit(image, size).filter(ImageFilter.GaussianBlur(CARD_SIDE / 20)).point(lambda v: v * 0.6)
    card.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return card


def _shaded(card: Image.Image, top: int) -> Image.Image:
    """Darken a card from ``top`` to the bottom, so that white text can be read on anything."""
    ramp = numpy.clip((numpy.arange(card.height) - top) / max(1.0, (card.height - top) * 0.55), 0, 1)
    opacity = (215 * ramp * ramp * (3 - 2 * ramp)).astype(numpy.uint8)
    mask = Image.fromarray(numpy.repeat(opacity[:, None], card.width, axis=1))
    return Image.composite(Image.new("RGB", card.size, (8, 8, 12)), card, mask)
