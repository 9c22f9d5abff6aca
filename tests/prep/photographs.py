"""Photographs that come with scikit-image and scikit-learn, and what can have happened to an image before it is found.

Everything is deterministic, so that what is measured on it can be compared.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import skimage
import sklearn
from PIL import Image, ImageDraw, ImageFont

_SKIMAGE = Path(skimage.__file__).parent / "data"
_SKLEARN = Path(sklearn.__file__).parent / "datasets" / "images"
_FONTS = Path(mpl.__file__).parent / "mpl-data" / "fonts" / "ttf"
_FILES = {
    "astronaut": _SKIMAGE / "astronaut.png",
    "brick": _SKIMAGE / "brick.png",
    "camera": _SKIMAGE / "camera.png",
    "chelsea": _SKIMAGE / "chelsea.png",
    "china": _SKLEARN / "china.jpg",
    "coffee": _SKIMAGE / "coffee.png",
    "flower": _SKLEARN / "flower.jpg",
    "grass": _SKIMAGE / "grass.png",
    "gravel": _SKIMAGE / "gravel.png",
    "hubble": _SKIMAGE / "hubble_deep_field.jpg",
    "ihc": _SKIMAGE / "ihc.png",
    "moon": _SKIMAGE / "moon.png",
    "motorcycle": _SKIMAGE / "motorcycle_left.png",
    "retina": _SKIMAGE / "retina.jpg",
    "rocket": _SKIMAGE / "rocket.jpg",
}
NAMES = tuple(_FILES)
_PARTS = {"hubble": (200, 100, 840, 612), "retina": (100, 450, 740, 962)}
"""These two are larger than the training size, at which images are judged; a part of that size is used."""


@cache
def photograph(name: str) -> Image.Image:
    with Image.open(_FILES[name]) as file:
        image = file.convert("RGB")
    return image.crop(_PARTS[name]) if name in _PARTS else image


def whole_photographs() -> Iterator[Image.Image]:
    for path in (*_FILES.values(), _SKIMAGE / "coins.png"):
        with Image.open(path) as file:
            yield file.convert("RGB")


def parts() -> Iterator[Image.Image]:
    """Each photograph in nine parts that do not overlap: 144 different images."""
    for image in whole_photographs():
        width, height = image.width // 3, image.height // 3
        for row in range(3):
            for column in range(3):
                yield image.crop((column * width, row * height, (column + 1) * width, (row + 1) * height))


Change = Callable[[Image.Image], Image.Image]


def _on_pixels(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    """A change of levels in 0..255, which may come out as floats beyond that."""

    def changed(image: Image.Image) -> Image.Image:
        return Image.fromarray(np.clip(change(np.asarray(image)) + 0.5, 0, 255).astype(np.uint8))

    return changed


def blur(sigma: float) -> Change:
    return _on_pixels(lambda pixels: cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), sigma))


def move(length: int, angle: float) -> Change:
    """Motion blur: the mean along a line of ``length`` pixels."""
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    turned = cv2.warpAffine(line, cv2.getRotationMatrix2D(((length - 1) / 2,) * 2, angle, 1), (length, length))
    kernel = turned / turned.sum()
    return _on_pixels(lambda pixels: cv2.filter2D(pixels.astype(np.float32), -1, kernel, borderType=cv2.BORDER_REFLECT))


def noise(sigma: float, *, coloured: bool = True) -> Change:
    def add(pixels: np.ndarray) -> np.ndarray:
        shape = pixels.shape if coloured else (*pixels.shape[:2], 1)
        return pixels + np.random.default_rng(0).normal(0, sigma, shape)

    return _on_pixels(add)


def resave(quality: int) -> Change:
    """Saved as JPEG, opened and kept as plain pixels, as after saving it as PNG again."""

    def saved(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        return Image.open(file).convert("RGB")

    return saved


def crop(left: float, top: float, right: float, bottom: float) -> Change:
    """Take these shares off the sides."""

    def cropped(image: Image.Image) -> Image.Image:
        width, height = image.size
        edges = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
        return image.crop(tuple(round(edge) for edge in edges))

    return cropped


def resize(factor: float, how: Image.Resampling = Image.Resampling.BICUBIC) -> Change:
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)), how)


def then(*changes: Change) -> Change:
    def all_of_them(image: Image.Image) -> Image.Image:
        for change in changes:
            image = change(image)
        return image

    return all_of_them


def enlarged_again(factor: int) -> Change:
    """As found images that were small once: the size is as before, the detail is not."""

    def small_once(image: Image.Image) -> Image.Image:
        small = image.resize((image.width // factor, image.height // factor), Image.Resampling.BICUBIC)
        return small.resize(image.size, Image.Resampling.BICUBIC)

    return small_once


def brightness(factor: float) -> Change:
    return _on_pixels(lambda pixels: pixels * factor)


def overexpose(middle: float) -> Change:
    """So much brighter that half of the image is over ``middle``, and what is lighter than white is cut off."""
    return _until(middle, lambda pixels, factor: pixels * factor, least=1.0, most=64.0)


def curve(middle: float) -> Change:
    """A gamma curve, which leaves black and white where they are, until half of the image is under ``middle``."""
    return _until(middle, lambda pixels, gamma: 255 * (pixels / 255) ** (1 / gamma), least=1 / 16, most=16.0)


def _until(middle: float, change: Callable[[np.ndarray, float], np.ndarray], *, least: float, most: float) -> Change:
    """Change by the amount, between ``least`` and ``most``, that brings the median luma to ``middle``."""

    def changed(pixels: np.ndarray) -> np.ndarray:
        low, high = np.log((least, most))
        for _ in range(10):
            amount = (low + high) / 2
            luma = np.clip(change(pixels, float(np.exp(amount))), 0, 255) @ (0.299, 0.587, 0.114)
            low, high = (amount, high) if np.median(luma) < middle else (low, amount)
        return change(pixels, float(np.exp((low + high) / 2)))

    return _on_pixels(changed)


def contrast(factor: float) -> Change:
    return _on_pixels(lambda pixels: (pixels - pixels.mean()) * factor + pixels.mean())


def letter(
    text: str,
    *,
    height: float,
    place: tuple[float, float],
    font: str = "DejaVuSans",
    colour: tuple[int, int, int] = (255, 255, 255),
    opacity: float = 1.0,
    outline: int = 0,
    angle: float = 0.0,
) -> Change:
    """Lettering whose ``height`` is a share of the image's longer side, at a ``place`` between 0, 0 and 1, 1."""

    def lettered(image: Image.Image) -> Image.Image:
        face = ImageFont.truetype(str(_FONTS / f"{font}.ttf"), round(height * max(image.size)))
        layers = []
        for stroke in (outline, 0):
            layer = Image.new("L", image.size)
            draw = ImageDraw.Draw(layer)
            left, top, right, bottom = draw.textbbox((0, 0), text, font=face)
            x = (image.width - (right - left)) * place[0] - left
            y = (image.height - (bottom - top)) * place[1] - top
            draw.text((x, y), text, font=face, fill=round(255 * opacity), stroke_width=stroke)
            layers.append(layer.rotate(angle, Image.Resampling.BICUBIC))
        if outline:
            image = Image.composite(Image.new("RGB", image.size), image, layers[0])
        return Image.composite(Image.new("RGB", image.size, colour), image, layers[1])

    return lettered


SPOILT: Mapping[str, tuple[Mapping[str, Change], frozenset[str]]] = {
    "blur": (
        {
            "gaussian 2": blur(2),
            "gaussian 3": blur(3),
            "gaussian 5": blur(5),
            "enlarged 3 times": enlarged_again(3),
        },
        frozenset({"blurry"}),
    ),
    "larger file": ({"3 times, bicubic": resize(3)}, frozenset({"soft", "blurry"})),
    "motion": (
        {
            "9 across": move(9, 0),
            "9 at 30°": move(9, 30),
            "9 at 45°": move(9, 45),
            "15 down": move(15, 90),
            "15 at -60°": move(15, -60),
        },
        frozenset({"blurry", "motion_blur"}),
    ),
    "noise": (
        {"colour 20": noise(20), "colour 30": noise(30), "grey 20": noise(20, coloured=False)},
        frozenset({"noise"}),
    ),
    "JPEG": (
        {
            "quality 15": resave(15),
            "quality 10": resave(10),
            "quality 5": resave(5),
            "quality 10, cropped": then(resave(10), crop(0.01, 0.007, 0, 0)),
        },
        frozenset({"jpeg_blocks"}),
    ),
    "dark": ({"brightness 0.25": brightness(0.25), "curve to 22": curve(22)}, frozenset({"dark"})),
    "bright": ({"overexposed to 240": overexpose(240), "curve to 236": curve(236)}, frozenset({"bright"})),
    "contrast": ({"0.3": contrast(0.3), "0.2": contrast(0.2)}, frozenset({"low_contrast", "dark", "bright"})),
    "text": (
        {
            "caption": letter("A quiet afternoon by the sea", height=0.042, place=(0.5, 0.95)),
            "outlined": letter(
                "When the model converges", height=0.055, place=(0.5, 0.96), font="DejaVuSans-Bold", outline=2
            ),
            "date": letter(
                "2019/08/21 14:35", height=0.036, place=(0.97, 0.97), font="DejaVuSansMono", colour=(255, 150, 30)
            ),
            "signature": letter(
                "Photograph by J. Smith", height=0.034, place=(0.04, 0.04), font="DejaVuSerif", colour=(250, 240, 120)
            ),
            "address": letter("www.example-photos.com", height=0.038, place=(0.95, 0.96), opacity=0.7),
            "watermark": letter("SAMPLE IMAGE", height=0.1, place=(0.5, 0.5), font="DejaVuSans-Bold", opacity=0.45),
            "slanting watermark": letter("PREVIEW ONLY", height=0.085, place=(0.5, 0.5), opacity=0.5, angle=30),
        },
        frozenset({"text"}),
    ),
}
"""Ways to spoil an image by what is spoilt, each with the badges of which at least one must then be given."""
