"""The world of drawings that the pocket model knows: small images of one shape, each with its captions.

An image is 64x64 RGB and fully described by a `Spec`. Everything is deterministic: the same spec gives the same
pixels on every machine, the same (spec, seed) the same caption.

A rendering style is a set of independent elements. Eight styles have a word (one element each, or none: "flat").
Some training images combine two elements and carry both words, so that a model learns to compose them. Four
combinations never occur in training and have no word: they are what a Textual Inversion can be asked to learn.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIZE = 64  # width and height of an image, pixels

SHAPES = ("circle", "square", "triangle", "cross", "ring", "star")
COLOURS = {
    "red": (214, 32, 40),
    "green": (28, 150, 62),
    "blue": (40, 72, 214),
    "yellow": (246, 200, 10),
    "purple": (142, 48, 172),
    "orange": (246, 128, 24),
}
BACKGROUNDS = {
    "white": (246, 246, 246),
    "grey": (150, 150, 150),
    "pink": (255, 186, 204),
    "cyan": (150, 226, 236),
}
SIZES = ("small", "big")
POSITIONS = ("left", "centre", "right")

# Elements of the same slot exclude each other; the order is that of a combined style's name.
SLOTS = {
    "fill": ("striped", "dotted", "checked"),
    "line": ("outlined",),
    "around": ("glowing", "shadowed"),
    "border": ("framed",),
}
ELEMENTS = tuple(itertools.chain.from_iterable(SLOTS.values()))
WORDED_STYLES = ("flat", *ELEMENTS)
WORDLESS_STYLES = ("striped+framed", "dotted+outlined", "checked+shadowed", "outlined+glowing")
COMBINED_STYLES = tuple(
    f"{a}+{b}"
    for (_, first), (_, second) in itertools.combinations(SLOTS.items(), 2)
    for a, b in itertools.product(first, second)
    if f"{a}+{b}" not in WORDLESS_STYLES
)
STYLES = (*WORDED_STYLES, *WORDLESS_STYLES)

_DARK = (28, 24, 34)
_FRAME = (74, 46, 30)
_SUPERSAMPLING = 2
_FRAME_WIDTH = 5.0  # pixels, as all lengths below
_RADIUS = {"small": 14.0, "big": 20.0}
_CENTRE_X = {
    "small": {"left": 20.0, "centre": 32.0, "right": 44.0},
    "big": {"left": 25.0, "centre": 32.0, "right": 39.0},
}


@dataclass(frozen=True)
class Spec:
    """One image: its attributes by name, and `jitter`, the seed of its small displacement and size change."""

    shape: str
    colour: str
    background: str
    size: str = "big"
    position: str = "centre"
    style: str = "flat"
    jitter: int = 0

    def __post_init__(self) -> None:
        known = (
            (self.shape, SHAPES),
            (self.colour, COLOURS),
            (self.background, BACKGROUNDS),
            (self.size, SIZES),
            (self.position, POSITIONS),
            (self.style, (*STYLES, *COMBINED_STYLES)),
        )
        for value, allowed in known:
            if value not in allowed:
                raise ValueError(f"{value!r} is not one of {', '.join(allowed)}")

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements of the style; empty for "flat"."""
        return () if self.style == "flat" else tuple(self.style.split("+"))

    @property
    def style_words(self) -> tuple[str, ...]:
        """Words of captions for the style; empty for a wordless one."""
        return () if self.style in WORDLESS_STYLES else tuple(self.style.split("+"))

    @property
    def held_out(self) -> bool:
        """Whether this tuple of attributes, without jitter, never occurs in training: a stable tenth of all."""
        key = "/".join((self.shape, self.colour, self.background, self.size, self.position, self.style))
        return hashlib.sha256(key.encode()).digest()[0] * 10 < 256


# ---------------------------------------------------------------------------------------------------- images


def _polygon(shape: str) -> NDArray[np.float64]:
    """Return the corners (n, 2) of a shape of radius 1 around the origin, y down."""
    if shape == "square":
        return np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * 0.84
    if shape == "triangle":
        return np.array([(0.0, -1.0), (1.02, 0.86), (-1.02, 0.86)])
    if shape == "cross":
        w = 0.36
        return np.array(
            [(-w, -1), (w, -1), (w, -w), (1, -w), (1, w), (w, w), (w, 1), (-w, 1), (-w, w), (-1, w), (-1, -w), (-w, -w)]
        )
    turns = [math.pi * k / 5 for k in range(10)]  # the star: outer and inner corners in turn
    radii = [1.08 if k % 2 == 0 else 0.46 for k in range(10)]
    return np.array([(r * math.sin(a), -r * math.cos(a)) for r, a in zip(radii, turns, strict=True)])


def _distance(shape: str, x: NDArray[np.float64], y: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Return the signed distance in pixels of points (relative to the centre) to the shape's edge, negative inside."""
    if shape == "circle":
        return np.hypot(x, y) - radius
    if shape == "ring":
        return np.abs(np.hypot(x, y) - 0.71 * radius) - 0.29 * radius
    corners = _polygon(shape) * radius
    nearest = np.full(x.shape, np.inf)
    inside = np.zeros(x.shape, dtype=bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        ex, ey, px, py = bx - ax, by - ay, x - ax, y - ay
        along = np.clip((px * ex + py * ey) / (ex * ex + ey * ey), 0.0, 1.0)
        nearest = np.minimum(nearest, (px - along * ex) ** 2 + (py - along * ey) ** 2)
        if ay != by:  # even-odd rule: count the edges that a ray to the right crosses
            crosses = ((ay > y) != (by > y)) & (px < ex * (y - ay) / ey)
            inside ^= crosses
    return np.where(inside, -1.0, 1.0) * np.sqrt(nearest)


@lru_cache(maxsize=1)
def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates (x, y) in pixels of the supersampled points, each (SIZE * s, SIZE * s)."""
    axis = (np.arange(SIZE * _SUPERSAMPLING) + 0.5) / _SUPERSAMPLING
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return x, y


def _coverage(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the opacity 0..1 of a filled area from its signed distance in pixels, soft over one supersampled pixel."""
    return np.clip(0.5 - distance * _SUPERSAMPLING, 0.0, 1.0)[..., None]


def _mix(a: NDArray[np.float64], b: NDArray[np.float64], share: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return a + (b - a) * share


def _fill(colour: NDArray[np.float64], elements: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the shape's paint, (S, S, 3).

    Textures are coarse and aligned to the 8-pixel grid, so that each looks the same in every 8x8 cell and survives an
    autoencoder that downscales by 8.
    """
    x, y = _grid()
    if "striped" in elements:
        share = _coverage(np.abs(y % 8 - 4) - 2)
        return _mix(colour, colour * 0.3, share)
    if "dotted" in elements:
        share = _coverage(np.hypot(x % 8 - 4, y % 8 - 4) - 2.6)
        return _mix(colour, np.full(3, 255.0), share)
    if "checked" in elements:
        odd = ((x // 8 + y // 8) % 2)[..., None].astype(np.float64)
        return _mix(colour, _mix(colour, np.full(3, 255.0), 0.65), odd)
    return np.broadcast_to(colour, (*x.shape, 3))


def draw(spec: Spec) -> Image.Image:
    """Draw one image: RGB, 64x64."""
    rng = random.Random(f"{spec.jitter}/{spec.shape}/{spec.colour}/{spec.background}/{spec.size}/{spec.position}")
    radius = _RADIUS[spec.size] + rng.uniform(-0.8, 0.8)
    centre_x = _CENTRE_X[spec.size][spec.position] + rng.uniform(-1.0, 1.0)
    centre_y = SIZE / 2 + rng.uniform(-1.5, 1.5)
    grid_x, grid_y = _grid()
    x, y = grid_x - centre_x, grid_y - centre_y
    distance = _distance(spec.shape, x, y, radius)
    colour = np.array(COLOURS[spec.colour], dtype=float)
    background = np.array(BACKGROUNDS[spec.background], dtype=float)
    elements = spec.elements

    canvas = np.broadcast_to(background, (*x.shape, 3))
    if "shadowed" in elements:
        canvas = _mix(canvas, background * 0.35, _coverage(_distance(spec.shape, x - 5, y - 5, radius)))
    if "glowing" in elements:
        halo = 0.6 * np.exp(-((np.maximum(distance, 0.0) / 5.5) ** 2))[..., None]
        canvas = _mix(canvas, colour, halo)
    canvas = _mix(canvas, _fill(colour, elements), _coverage(distance))
    if "outlined" in elements:
        canvas = _mix(canvas, np.array(_DARK, dtype=float), _coverage(np.abs(distance + 0.3) - 1.6))
    if "framed" in elements:
        edge = np.minimum(np.minimum(grid_x, SIZE - grid_x), np.minimum(grid_y, SIZE - grid_y))
        canvas = _mix(canvas, np.array(_FRAME, dtype=float), _coverage(edge - _FRAME_WIDTH))

    s = _SUPERSAMPLING
    pixels = canvas.reshape(SIZE, s, SIZE, s, 3).mean(axis=(1, 3))
    return Image.fromarray(np.round(pixels).astype(np.uint8), "RGB")


# ---------------------------------------------------------------------------------------------------- sets of specs


def random_spec(rng: random.Random, style: str) -> Spec:
    """Return a spec in the given style with all other attributes sampled evenly."""
    return Spec(
        shape=rng.choice(SHAPES),
        colour=rng.choice(tuple(COLOURS)),
        background=rng.choice(tuple(BACKGROUNDS)),
        size=rng.choice(SIZES),
        position=rng.choice(POSITIONS),
        style=style,
        jitter=rng.randrange(1 << 30),
    )


def training_specs(count: int, seed: int = 0, combined: float = 0.18) -> Iterator[Spec]:
    """Yield `count` specs for training: worded styles evenly, a share `combined` with two of them.

    Held-out tuples and wordless styles never occur.
    """
    rng = random.Random(f"training {seed}")
    while count > 0:
        style = rng.choice(COMBINED_STYLES if rng.random() < combined else WORDED_STYLES)
        spec = random_spec(rng, style)
        if not spec.held_out:
            yield spec
            count -= 1


def held_out_specs(count: int, seed: int = 0) -> list[Spec]:
    """Return `count` specs whose attribute tuples never occur in training, in worded styles evenly."""
    rng = random.Random(f"held out {seed}")
    specs: list[Spec] = []
    while len(specs) < count:
        spec = random_spec(rng, WORDED_STYLES[len(specs) % len(WORDED_STYLES)])
        if spec.held_out:
            specs.append(spec)
    return specs
