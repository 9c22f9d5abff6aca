"""Fill methods of Remove: gradient energy inside holes, and error against the truth, on textures and photographs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from lib_ti.prep.arrays import Array
from lib_ti.prep.remove.inpaint import FillMethod, inpaint, plain_methods
from tests.benchmarks.row import Row
from tests.prep.photographs import NAMES, photograph

TEXTURES = ("brick", "grass", "gravel")
_CORNERS = ((0.3, 0.4), (0.6, 0.65))
"""Upper left corners of the holes, in units of the image's sides."""
_SCRATCHES = (3, 6, 12)


@dataclass(frozen=True)
class _Figures:
    """Geometric mean of gradient energy in units of the true one, mean absolute error in levels of 255, seconds."""

    energy: float
    error: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.energy:.2f} of the gradient energy, error {self.error:.1f}, {self.seconds:.2f} s CPU"


def measure() -> Iterator[Row]:
    textures = [photograph(name) for name in TEXTURES]
    photographs = [photograph(name) for name in NAMES if name not in TEXTURES]
    for what, images in (("textures", textures), ("photographs", photographs)):
        for shape, masks in _shapes():
            found = {method: _figures(images, masks, method) for method in plain_methods()}
            for method, figures in found.items():
                yield Row(f"{method}, {shape}, {what}", str(figures), "", kept=True)
            if what == "textures" and shape.startswith("holes") and "patchmatch" in found:
                energy, other = found["patchmatch"].energy, found["telea"].energy
                yield Row("gradient energy: patchmatch ÷ telea", f"{energy / other:.1f}", "≥ 3", energy > 3 * other)


def _shapes() -> Iterator[tuple[str, list[Callable[[tuple[int, int]], Image.Image]]]]:
    yield "holes of 100×50", [lambda size, corner=corner: _hole(size, corner) for corner in _CORNERS]  # type: ignore[misc]
    for width in _SCRATCHES:
        yield f"scratches of {width}", [lambda size, width=width: _scratch(size, width)]  # type: ignore[misc]


def _hole(size: tuple[int, int], corner: tuple[float, float]) -> Image.Image:
    mask = Image.new("L", size)
    left, top = (int(side * share) for side, share in zip(size, corner, strict=True))
    mask.paste(255, (left, top, left + 100, top + 50))
    return mask


def _scratch(size: tuple[int, int], width: int) -> Image.Image:
    mask = np.zeros(size[::-1], np.uint8)
    ends = [(int(size[0] * x), int(size[1] * y)) for x, y in ((0.1, 0.2), (0.9, 0.5))]
    return Image.fromarray(cv2.line(mask, ends[0], ends[1], 255, width))


def _figures(images: list[Image.Image], masks: list[Callable[[tuple[int, int]], Image.Image]], method: str) -> _Figures:
    energies, errors = [], []
    spent = 0.0
    for image in images:
        for mask_of in masks:
            mask = mask_of(image.size)
            painted = image.copy()
            painted.paste("white", mask=mask)
            started = time.process_time()
            patch = inpaint(painted, mask, FillMethod(method))
            spent += time.process_time() - started
            painted.paste(patch.pixels.convert("RGB"), patch.region.box, patch.pixels.getchannel("A"))
            inside = np.asarray(mask) > 0
            energies.append(_energy(painted, inside) / max(_energy(image, inside), 1e-3))
            errors.append(np.abs(np.asarray(painted, int) - np.asarray(image, int))[inside].mean())
    return _Figures(
        float(np.exp(np.mean(np.log(np.maximum(energies, 1e-3))))), float(np.mean(errors)), spent / len(errors)
    )


def _energy(image: Image.Image, inside: Array) -> float:
    levels = np.asarray(image.convert("L"), np.float32)
    squares = np.diff(levels, axis=0)[:, :-1] ** 2 + np.diff(levels, axis=1)[:-1] ** 2
    return float(squares[inside[:-1, :-1]].mean())
