"""Sharpness, steadiness, noise and JPEG blocks, from an image's tiles.

Sharpness compares the energy at neighboring scales: a sharp image has nearly as much at the finest scale as at one
twice as coarse, whatever it shows, while blur leaves the finest scale empty.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lib_ti.prep.arrays import Array
from lib_ti.prep.inspect.tiles import SIDE

HALVINGS = 3
"""Number of scales of sharpness and noise: full size, and after one and two halvings."""
_LEVELS = HALVINGS + 1

_ACROSS = ((1, 0), (0, 1), (1, 1), (1, -1))
"""Steps (x, y) of the second differences; each direction is followed by its perpendicular."""
_ROUNDING = 1 / 12
"""Variance of rounding to whole levels, which is not structure."""
_LEAST_DETAIL = 0.6
"""Levels of structure at the coarser scale below which a tile is too empty to measure sharpness."""
_SHARPEST = 90
"""Percentile of the tiles: an image is as sharp as the part in focus, not as its background."""
_FEWEST_TILES = 3

_NOISE_FILTER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
"""Passes noise, but neither edges nor gradients (Immerkær 1996)."""
_NOISE_BLOCK = 15
_CALMEST = 10
"""Percentile of the blocks: noise is everywhere, so it is measured where there is nothing else."""
_UNCLIPPED = (12.0, 243.0)
_FEWEST_BLOCKS = 8

_JPEG_SIDE = 8
_LARGEST_STEP = 8.0
"""Limit of the steps between pixels, so that a few strong edges do not dominate."""


@dataclass(frozen=True)
class FineStructure:
    """Measures at several scales.

    Attributes
    ----------
    sharpness
        At full size and after one and two halvings: about 1 for sharp images, 0.3 for blurred ones, 0 where there is no
        structure.
    steadiness
        At full size and after one halving: 1 where all directions are equally sharp, small where one is blurred.
    noise
        At full size and after one and two halvings: standard deviation in levels of 255.
    blocks
        Height in levels of the steps on a grid of 8 pixels.
    """

    sharpness: tuple[float, ...]
    steadiness: tuple[float, ...]
    noise: tuple[float, ...]
    blocks: float


def fine_structure(tiles: Array) -> FineStructure:
    """Measure tiles (N, 64, 64, 3) whose corners lie at multiples of 8 pixels of the image."""
    tall = tiles.reshape(-1, SIDE, 3)  # stacked, so that each filter is a single call
    luma = cv2.cvtColor(tall, cv2.COLOR_RGB2GRAY).astype(np.float32)
    # Not of the luma, in which the noise of three channels averages out.
    green = tall[:, :, 1].astype(np.float32)
    energies = np.stack([_energies(level) for level in _halved(luma, _LEVELS)])  # (levels, directions, N)
    for level in range(_LEVELS):
        energies[level] = np.maximum(energies[level] - _ROUNDING / 4**level, 1e-4)
    return FineStructure(
        sharpness=tuple(_sharpness(energies, level) for level in range(HALVINGS)),
        steadiness=tuple(_steadiness(energies, level) for level in range(HALVINGS - 1)),
        noise=tuple(_noise(level) for level in _halved(green, HALVINGS)),
        blocks=_blocks(luma),
    )


def _halved(tall: Array, count: int) -> list[Array]:
    levels = [tall]
    while len(levels) < count:
        last = levels[-1]
        levels.append(cv2.resize(last, (last.shape[1] // 2, last.shape[0] // 2), interpolation=cv2.INTER_AREA))
    return levels


def _tilewise(tall: Array) -> Array:
    return tall.reshape(-1, tall.shape[1], tall.shape[1])


def _energies(tall: Array) -> Array:
    """Return the mean squared second difference of each tile by direction: (directions, N)."""
    found = []
    for x, y in _ACROSS:
        kernel = np.zeros((3, 3), np.float32)
        kernel[1, 1] = 2
        kernel[1 + y, 1 + x] = kernel[1 - y, 1 - x] = -1
        response = cv2.filter2D(tall, -1, kernel / np.sqrt(6))  # unit norm preserves the variance of white noise
        inside = _tilewise(response)[:, 1:-1, 1:-1]  # the edge mixes unrelated tiles
        found.append(np.einsum("nij,nij->n", inside, inside) / inside[0].size)
    return np.stack(found)


def _sharpness(energies: Array, level: int) -> float:
    fine, coarse = energies[level, :2].mean(axis=0), energies[level + 1, :2].mean(axis=0)
    measurable = coarse > _LEAST_DETAIL**2
    if not measurable.any():
        return 0.0
    return float(np.percentile(np.sqrt(fine[measurable] / coarse[measurable]), _SHARPEST))


def _steadiness(energies: Array, level: int) -> float:
    """Compare perpendicular directions, two scales apart: motion empties the fine scale along its own direction
    only."""
    least = 1.0
    fine, coarse = energies[level], energies[level + 2]
    for one, other in ((0, 1), (2, 3)):
        measurable = np.minimum(coarse[one], coarse[other]) > _LEAST_DETAIL**2
        if measurable.sum() >= _FEWEST_TILES:
            along = np.log(fine[one, measurable] / coarse[one, measurable])
            across = np.log(fine[other, measurable] / coarse[other, measurable])
            least = min(least, float(np.exp(-abs(np.median(along - across)) / 2)))
    return least


def _noise(tall: Array) -> float:
    response = _tilewise(cv2.filter2D(tall, -1, _NOISE_FILTER))
    edge = 2 if response.shape[1] >= SIDE // 2 else 1
    inside, shown = response[:, edge:-edge, edge:-edge], _tilewise(tall)[:, edge:-edge, edge:-edge]
    block = min(_NOISE_BLOCK, inside.shape[1])
    variance, brightness = _block_means(inside**2, block), _block_means(shown, block)
    # Where black and white are clipped, so is the noise.
    unclipped = (brightness > _UNCLIPPED[0]) & (brightness < _UNCLIPPED[1])
    if unclipped.sum() >= _FEWEST_BLOCKS:
        variance = variance[unclipped]
    return float(np.sqrt(np.percentile(variance, _CALMEST)))


def _block_means(tiles: Array, block: int) -> Array:
    count = tiles.shape[1] // block
    whole = tiles[:, : count * block, : count * block]
    return whole.reshape(len(tiles), count, block, count, block).mean(axis=(2, 4)).ravel()


def _blocks(tall: Array) -> float:
    """Return how much higher the steps on the grid are than beside it; JPEG makes them in both directions."""
    tiles = _tilewise(tall)
    return min(_grid_step(tiles), _grid_step(tiles.transpose(0, 2, 1)))


def _grid_step(tiles: Array) -> float:
    """Measure along the rows only. The grid may start anywhere, since the image may have been cropped and saved
    again."""
    steps = np.abs(np.diff(tiles, axis=2))
    above = steps[:, :, 1:-1] - (steps[:, :, :-2] + steps[:, :, 2:]) / 2
    whole = above.shape[2] // _JPEG_SIDE * _JPEG_SIDE
    by_column = np.clip(above[:, :, :whole], -_LARGEST_STEP, _LARGEST_STEP).mean(axis=(0, 1))
    by_phase = by_column.reshape(-1, _JPEG_SIDE).mean(axis=0)
    return float(by_phase.max() - np.median(by_phase))
