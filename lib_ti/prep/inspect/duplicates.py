"""Near-duplicates: the same image resized, saved again, brightened, mirrored or slightly cropped.

Each image is represented by 32 × 32 grey levels. Two of them are compared by their low frequencies, the finer ones
weighted more, so that images which are merely both light above and dark below differ. A first, coarse
comparison of all with all is a product of matrices; the few pairs that pass are then compared with one of them cropped
in all ways, a little, on each side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from lib_ti.prep.arrays import Array

SIDE = 32
MOST_CROPPED = 0.085
"""Fraction of an image's width or height that may be cropped on each side."""
SURELY_MIRRORED = 0.95
"""Many man-made things are nearly symmetrical, so mirrored copies must be more similar."""
_COARSE_TERMS = 8
_FINE_TERMS = 16
_WEIGHT_OF_FREQUENCY = 0.6
_COARSE_CROPS = (0.0, 0.06)
_FINE_CROPS = (0.0, MOST_CROPPED / 2, MOST_CROPPED)
_FINE_CUTS = tuple((before, after) for before in _FINE_CROPS for after in _FINE_CROPS)
_COARSELY_SIMILAR = 0.72
"""Least similarity of unevenly cropped copies before their crop is found; so similar are about 1 in 1,000 other
pairs."""
_MOST_CANDIDATES = 64
"""Per image: a folder of thousands of similar images must not take hours, and fewer pairs are enough to connect it."""
_WIDEST = 1.27
"""Largest change of aspect ratio by cropping."""
_LEAST_CONTRAST = 1.5
"""In levels of 255: an image as uniform as a sheet of paper resembles every other one."""
_BLOCK = 1024
_SAMPLES = 96


@dataclass(frozen=True)
class Fingerprint:
    """Data by which an image is compared: ``levels`` are 32 × 32 grey levels, row by row; ``size`` is (width,
    height)."""

    levels: bytes
    size: tuple[int, int]


@dataclass(frozen=True)
class SimilarPair:
    """Two images by their indices, ``first`` < ``second``; ``similarity`` is 1 for equal ones."""

    first: int
    second: int
    similarity: float
    mirrored: bool


def find_near_duplicates(images: Sequence[Fingerprint], *, at_least: float) -> list[SimilarPair]:
    """Return all pairs of near-duplicates with a similarity of ``at_least``, in order.

    Memory grows with the number of images, not with that of pairs compared: the products are taken in blocks.
    """
    if len(images) < 2:
        return []
    grey = np.stack([np.frombuffer(one.levels, np.uint8) for one in images]).reshape(-1, SIDE, SIDE)
    shapes = np.array([one.size[0] / one.size[1] for one in images])
    shapes[grey.reshape(len(grey), -1).std(axis=1) < _LEAST_CONTRAST] = np.nan  # fits no aspect ratio: never compared
    found = []
    for mirrored in (False, True):
        pairs = np.array(list(_candidates(grey, shapes, mirrored=mirrored)), dtype=np.intp).reshape(-1, 2)
        similarity = _similarity(grey, pairs, mirrored=mirrored)
        kept = similarity >= (max(at_least, SURELY_MIRRORED) if mirrored else at_least)
        for (first, second), value in zip(pairs[kept].tolist(), similarity[kept].tolist(), strict=True):
            found.append(SimilarPair(first, second, value, mirrored))
    # A symmetrical image is found both ways; the plain pair comes first.
    best = {(pair.first, pair.second): pair for pair in reversed(found)}
    return [best[places] for places in sorted(best)]


def groups(count: int, pairs: Sequence[SimilarPair]) -> list[list[int]]:
    """Group ``count`` images that are connected by pairs; images without a pair are in no group."""
    leader = list(range(count))

    def lead(one: int) -> int:
        while leader[one] != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for pair in pairs:
        one, other = sorted((lead(pair.first), lead(pair.second)))
        leader[other] = one
    together: dict[int, list[int]] = {}
    for number in range(count):
        together.setdefault(lead(number), []).append(number)
    return [members for members in together.values() if len(members) > 1]


def _candidates(grey: Array, shapes: Array, *, mirrored: bool) -> Iterator[tuple[int, int]]:
    """Yield pairs, the lower index first, that may be similar once one of them is cropped."""
    crops = [_vectors(grey, _COARSE_TERMS, ((crop, crop),)) for crop in _COARSE_CROPS]
    others = [crop * _mirror_signs(_COARSE_TERMS) for crop in crops] if mirrored else crops
    for start in range(0, len(grey), _BLOCK):
        rows = slice(start, start + _BLOCK)
        near = crops[0][rows] @ others[0][start:].T
        for crop, other in zip(crops[1:], others[1:], strict=True):  # either may be the cropped one
            np.maximum(near, crops[0][rows] @ other[start:].T, out=near)
            np.maximum(near, crop[rows] @ others[0][start:].T, out=near)
        for row in range(len(near)):
            first = start + row
            after = near[row, row + 1 :]
            places = np.flatnonzero(after > _COARSELY_SIMILAR)
            if len(places):
                ratio = shapes[first + 1 + places] / shapes[first]
                places = places[(ratio < _WIDEST) & (ratio > 1 / _WIDEST)]
                for place in places[np.argsort(-after[places])[:_MOST_CANDIDATES]].tolist():
                    yield first, first + 1 + place


def _similarity(grey: Array, pairs: Array, *, mirrored: bool) -> Array:
    """Return the similarity of each pair (N, 2), with the better fitting crop of either image."""
    wholes = _vectors(grey, _FINE_TERMS, ((0.0, 0.0),))
    signs = _mirror_signs(_FINE_TERMS) if mirrored else np.float32(1)
    best = np.zeros(len(pairs), np.float32)
    for cropped, whole in ((pairs[:, 0], pairs[:, 1]), (pairs[:, 1], pairs[:, 0])):
        order = np.argsort(cropped, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(cropped[order])) + 1) if len(order) else ():
            crops = _vectors(grey[cropped[part[:1]]], _FINE_TERMS, _FINE_CUTS) * signs
            best[part] = np.maximum(best[part], (wholes[whole[part]] @ crops.T).max(axis=1))
    return best


def _vectors(grey: Array, terms: int, cuts: tuple[tuple[float, float], ...]) -> Array:
    """Return unit vectors (N · cuts², terms²) of images (N, 32, 32), each cropped in all ways across and down."""
    mapping = _cosines(terms, cuts)  # (cuts · terms, 32)
    across = grey.astype(np.float32) @ mapping.T  # (N, 32, cuts · terms)
    both = (mapping @ across).reshape(len(grey), len(cuts), terms, len(cuts), terms)
    weighed = np.multiply(both.transpose(0, 1, 3, 2, 4), _weights(terms), order="C")
    vectors = weighed.reshape(-1, terms * terms)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    vectors /= (lengths + np.float32(1e-6))[:, None]
    return vectors


@cache
def _cosines(terms: int, cuts: tuple[tuple[float, float], ...]) -> Array:
    """Return the maps (cuts · terms, 32) from a row of levels to the cosine transform of its cropped rest."""
    maps = []
    angles = np.pi * np.arange(terms)[:, None] * (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    for before, after in cuts:
        places = (before + (np.arange(_SAMPLES) + 0.5) / _SAMPLES * (1 - before - after)) * SIDE - 0.5
        below = np.clip(np.floor(places), 0, SIDE - 2).astype(int)
        share = np.clip(places - below, 0, 1)
        sampled = np.zeros((_SAMPLES, SIDE))
        sampled[np.arange(_SAMPLES), below] = 1 - share
        sampled[np.arange(_SAMPLES), below + 1] += share
        maps.append(np.cos(angles) @ sampled)
    return np.concatenate(maps).astype(np.float32)


@cache
def _weights(terms: int) -> Array:
    """Return the weight of each term, down and across: 0 for brightness and for the corner beyond the highest
    frequency."""
    rows, columns = np.mgrid[:terms, :terms]
    radius = np.hypot(rows, columns)
    compared = (radius > 0) & (radius < terms + 0.5)
    return np.where(compared, radius**_WEIGHT_OF_FREQUENCY, 0).astype(np.float32)


@cache
def _mirror_signs(terms: int) -> Array:
    """Return the signs that mirroring left and right gives to the terms."""
    return np.where(np.arange(terms * terms) % terms % 2, -1, 1).astype(np.float32)
