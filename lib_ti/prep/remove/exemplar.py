"""Exemplar fill: texture copied from elsewhere in the image by PatchMatch, from the optional ``patchmatch-cython``.

Settings were chosen with ``python dev.py bench fill``.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from PIL import Image

from lib_ti.errors import BadInput
from lib_ti.prep.arrays import Array

try:
    from patchmatch_cython import inpaint_pyramid
    from patchmatch_cython.cython_solver import CythonSolver
except (ImportError, ValueError):  # not installed, or built for another NumPy
    inpaint_pyramid = CythonSolver = None

INSTALL = "pip install --no-deps patchmatch-cython==0.2.1"
_PATCH = 7
"""Side in pixels of the patches that are matched; odd."""
_CONTEXT = 150
"""Least pixels around a hole that patches are copied from; a longer hole has as many as it is long."""
_SEAM = 2.0
"""Width in pixels within the hole in which the fill blends into its surroundings."""
_TOGETHER = 32
"""Holes that are nearer than this many pixels to each other are filled in one window."""
_LARGEST = 100_000
"""Pixels of a hole above which it is filled at a smaller size and upscaled, since time grows with them."""


def available() -> bool:
    """Whether the package is installed. Its Python version of the algorithm, dozens of times slower, does not count."""
    return CythonSolver is not None


def fill(image: Image.Image, mask: Image.Image, seed: int) -> Image.Image:
    """Return an RGB image with the region where the mask ("L") is above 127 filled; the same each time for a seed.

    Each hole is filled from a window around it, so that time depends on the holes and not on the image.

    Raises
    ------
    BadInput
        When too little around a hole is left to copy from.
    """
    pixels, missing = np.array(image), np.asarray(mask) > 127
    for rows, columns, hole in _holes(missing):
        filled = _filled(pixels[rows, columns], missing[rows, columns], seed)
        pixels[rows, columns][hole] = filled[hole]
        missing[rows, columns][hole] = False
    return Image.fromarray(pixels)


def _holes(missing: Array) -> list[tuple[slice, slice, Array]]:
    """Return the holes, those near each other as one: rows and columns of the window, and a mask of the hole in it."""
    near = cv2.dilate(missing.astype(np.uint8), np.ones((_TOGETHER + 1, _TOGETHER + 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(near)
    found = []
    for number in range(1, count):
        left, top, width, height = (int(value) for value in stats[number][:4])
        context = max(_CONTEXT, width, height)
        rows = slice(max(0, top - context), top + height + context)
        columns = slice(max(0, left - context), left + width + context)
        found.append((rows, columns, missing[rows, columns] & (labels[rows, columns] == number)))
    return found


def _filled(pixels: Array, missing: Array, seed: int) -> Array:
    height, width = missing.shape
    scale = math.sqrt(min(1.0, _LARGEST / missing.sum()))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        missing = cv2.resize(missing.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 0
    side = min(_PATCH, *missing.shape)
    try:
        filled = inpaint_pyramid(
            np.ascontiguousarray(pixels),
            missing,
            patch_size=side - (side + 1) % 2,
            solver_class=CythonSolver,
            seed=seed,
            mask_feather=_SEAM,
        )
    except ValueError as error:  # at its coarsest level, nothing is left
        raise BadInput(
            "So little of the image is left around the painted area that no texture can be copied into it; paint over "
            "less, or choose telea or ns as fill method."
        ) from error
    return cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC) if scale < 1 else filled
