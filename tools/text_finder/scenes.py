"""Scenes with drawn text, to train the text finder on.

Text is drawn over photographs that have none: captions, dates, signatures, and half-transparent watermarks, in any
grey, size and slope. What resembles text and is none (fences, windows, tiles, scribbles) is drawn too, unmarked.
"""

from __future__ import annotations

import io
import string
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional

from lib_ti.prep.arrays import Array
from lib_ti.prep.remove.text_map import CELL

_SIDE = 256
_SHEET = 384
"""Lettering is drawn on a larger sheet and turned, and the middle of it is used."""
_MARGIN = (_SHEET - _SIDE) // 2
_BATCH = 16
_FRESH = 4
"""Scenes of a batch that are new; the others were seen before, in other colours, since drawing takes its time."""
_KEPT = 2000
_WORDS = (
    "the a of photo by www com image sample preview stock copyright studio summer light gallery print model COPY "
    "Twitter art design museum editorial use only not for sale January draft version proof property"
).split()


class Scenes:
    """Scenes with text, and where it is."""

    def __init__(self, photographs: Path, fonts: Path, seed: int) -> None:
        self.images = [
            np.asarray(Image.open(path).convert("RGB"))
            for path in sorted(photographs.iterdir())
            if path.suffix.lower() in (".png", ".jpg")
        ]
        self.fonts = [str(path) for path in sorted(fonts.iterdir()) if path.suffix.lower() in (".ttf", ".otf")]
        self.random = np.random.default_rng(seed)
        self.made: list[tuple[Array, Array]] = []

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Scenes (B, 3, H, W) in -1..1, targets (B, 1, H/4, W/4) in 0..1 and their weights, 0 at the text's edge."""
        self.made += [self.scene() for _ in range(_FRESH)]
        del self.made[:-_KEPT]
        again = self.random.integers(0, len(self.made), _BATCH - _FRESH)
        made = [*self.made[-_FRESH:], *(self._changed(*self.made[place]) for place in again)]
        scenes = torch.from_numpy(np.stack([scene for scene, _ in made])).permute(0, 3, 1, 2).float() / 127.5 - 1
        marks = torch.from_numpy(np.stack([mark for _, mark in made]))[:, None].float() / 255
        share = functional.avg_pool2d(marks, CELL)
        return scenes, (share > 0.5).float(), ((share < 0.02) | (share > 0.5)).float()

    def scene(self) -> tuple[Array, Array]:
        """A scene (256, 256, 3) uint8, and where it has text as (256, 256) of 0 and 255."""
        rng = self.random
        canvas = self._background()
        for _ in range(int(rng.integers(0, 3))):
            canvas = self._draw_shapes_other_than_text(canvas)
        mark = np.zeros((_SIDE, _SIDE), np.uint8)
        if rng.random() < 0.65:
            for _ in range(int(rng.integers(1, 4))):
                canvas = self._letter(canvas, mark)
        return self._spoil(canvas), mark

    def _changed(self, scene: Array, mark: Array) -> tuple[Array, Array]:
        """A scene in other colours and, at times, mirrored, with its mark."""
        rng = self.random
        scene = scene[:, :, rng.permutation(3)]
        if rng.random() < 0.5:
            scene = 255 - scene
        if rng.random() < 0.5:
            scene, mark = scene[:, ::-1], mark[:, ::-1]
        return scene, mark

    def _background(self) -> Array:
        rng = self.random
        kind = rng.random()
        if kind < 0.07:
            return np.full((_SIDE, _SIDE, 3), rng.uniform(0, 255, 3), np.float32)
        if kind < 0.2:
            return self._texture()
        image = self.images[rng.integers(len(self.images))]
        height, width = image.shape[:2]
        side = int(min(height, width, _SIDE * np.exp(rng.uniform(-0.9, 0.75))))
        top, left = (int(rng.integers(0, length - side + 1)) for length in (height, width))
        part: Array = image[top : top + side, left : left + side]
        part = cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        if rng.random() < 0.25:
            part = np.repeat((part @ (0.3, 0.6, 0.1))[:, :, None], 3, axis=2)
        else:
            part = part[:, :, rng.permutation(3)] * rng.uniform(0.8, 1.2, 3)
        part = np.rot90(part, rng.choice(4, p=(0.55, 0.15, 0.15, 0.15)))
        if rng.random() < 0.5:
            part = part[:, ::-1]
        if rng.random() < 0.25:
            part = 255 - part
        changed: Array = (part - 128) * rng.uniform(0.4, 1.5) + 128 + rng.normal(0, 30)
        return np.clip(changed, 0, 255).astype(np.float32)

    def _texture(self) -> Array:
        """Something like grass, gravel or cloth: rough at one or two scales."""
        rng = self.random
        rough = np.zeros((_SIDE, _SIDE), np.float32)
        for _ in range(int(rng.integers(1, 3))):
            grain: Array = rng.standard_normal((_SIDE, _SIDE), np.float32)
            across, down = np.exp(rng.uniform(-0.5, 1.6, 2))
            grain = cv2.GaussianBlur(grain, (0, 0), across, sigmaY=down)
            if rng.random() < 0.5:
                grain = np.abs(grain)  # ridges and stones
            rough += (grain - grain.mean()) / grain.std()
        tint: Array = rng.uniform(0.6, 1.2, 3) if rng.random() < 0.6 else np.ones(3)
        texture: Array = rng.uniform(60, 190) + rng.uniform(10, 45) * rough[:, :, None]
        return np.clip(texture * tint, 0, 255).astype(np.float32)

    def _letter(self, canvas: Array, mark: Array) -> Array:
        """Draw a line of text, and mark the boxes of its words."""
        rng = self.random
        size = int(np.exp(rng.uniform(np.log(9), np.log(52))))
        font = ImageFont.truetype(str(rng.choice(self.fonts)), size)
        ink, words, halo = (Image.new("L", (_SHEET, _SHEET)) for _ in range(3))
        left, top = (int(value) for value in rng.integers(_MARGIN - size, _MARGIN + _SIDE * 4 // 5, 2))
        for word in self._words():
            box = ImageDraw.Draw(ink).textbbox((left, top), word, font=font)
            ImageDraw.Draw(ink).text((left, top), word, fill=255, font=font)
            ImageDraw.Draw(halo).text((left, top), word, fill=255, font=font, stroke_width=max(1, size // 12))
            ImageDraw.Draw(words).rectangle(box, fill=255)
            left = box[2] + max(2, int(size * 0.28))
        angle = float(rng.choice((0.0, rng.normal(0, 4), rng.uniform(-50, 50)), p=(0.6, 0.15, 0.25)))
        inner = (_MARGIN, _MARGIN, _MARGIN + _SIDE, _MARGIN + _SIDE)
        ink, words, halo = (
            layer.rotate(angle, Image.Resampling.BILINEAR).crop(inner) if angle else layer.crop(inner)
            for layer in (ink, words, halo)
        )
        strength = 1.0 if rng.random() < 0.55 else rng.uniform(0.3, 0.7)
        colour = (np.full(3, 255.0), np.zeros(3), rng.uniform(0, 255, 3))[rng.choice(3, p=(0.45, 0.2, 0.35))]
        cover = np.asarray(ink, np.float32)[:, :, None] / 255 * strength
        behind = (canvas * cover).sum(axis=(0, 1)) / (cover.sum() + 1e-6)
        outlined = rng.random() < 0.25
        if np.linalg.norm(behind - colour) * strength < 65 and not outlined:  # nobody could read it
            return canvas
        if outlined:
            around = np.asarray(halo, np.float32)[:, :, None] / 255 * strength
            canvas = canvas * (1 - around) + (255 - colour) * around
        np.maximum(mark, np.asarray(words), out=mark)
        return canvas * (1 - cover) + colour * cover

    def _words(self) -> list[str]:
        rng = self.random
        words = []
        for _ in range(int(rng.integers(1, 5))):
            kind = rng.random()
            if kind < 0.45:
                words.append(str(rng.choice(_WORDS)))
            else:
                letters = string.ascii_lowercase if kind < 0.75 else string.ascii_letters + string.digits + "./:@-#"
                words.append("".join(rng.choice(list(letters), rng.integers(2, 10))))
        case: Callable[[str], str] = (str, str.upper, str.title)[int(rng.choice(3, p=(0.6, 0.2, 0.2)))]
        return [case(word) for word in words]

    def _draw_shapes_other_than_text(self, canvas: Array) -> Array:
        """Something that has strokes and is not read."""
        rng = self.random
        if rng.random() < 0.3:
            return self._ornament(canvas)
        layer = Image.new("L", (_SIDE, _SIDE))
        draw_one = (self._bars, self._grid, self._shapes, self._scribble, self._straws, self._skyline)
        draw_one[rng.integers(len(draw_one))](ImageDraw.Draw(layer))
        turned = layer.rotate(rng.choice((0, 90, rng.uniform(0, 180))))
        cover = np.asarray(turned, np.float32)[:, :, None] / 255 * rng.uniform(0.2, 1)
        colour = rng.uniform(0, 255, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0, 255))
        return canvas * (1 - cover) + colour * cover

    def _ornament(self, canvas: Array) -> Array:
        """A piece of a photograph again and again in a row, as tiles, windows and carvings are."""
        rng = self.random
        piece, height = self._background(), int(rng.integers(6, 40))
        width = max(3, int(height * rng.uniform(0.3, 1.5)))
        count = int(rng.integers(4, 24))
        piece = np.tile(cv2.resize(piece[: height * 2, : width * 2], (width, height)), (1, count, 1))[:, :_SIDE]
        if rng.random() < 0.2:
            piece = np.swapaxes(piece, 0, 1)
        top, left = (int(rng.integers(0, _SIDE - length + 1)) for length in piece.shape[:2])
        canvas = canvas.copy()
        canvas[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
        return canvas

    def _bars(self, draw: ImageDraw.ImageDraw) -> None:
        left, top, right, bottom = (*self.random.integers(0, 150, 2), *self.random.integers(100, _SIDE, 2))
        width = int(self.random.integers(1, 8))
        for place in range(int(left), int(right), int(self.random.integers(5, 40))):
            draw.line((place, top, place + int(self.random.normal(0, 1)), bottom), 255, width)

    def _grid(self, draw: ImageDraw.ImageDraw) -> None:
        left, top, right, bottom = (*self.random.integers(0, 150, 2), *self.random.integers(100, _SIDE, 2))
        width, across, down = (int(self.random.integers(low, high)) for low, high in ((1, 6), (6, 50), (6, 50)))
        for place in range(int(left), int(right), across):
            draw.line((place, top, place, bottom), 255, width)
        for place in range(int(top), int(bottom), down):
            draw.line((left, place, right, place), 255, width)

    def _shapes(self, draw: ImageDraw.ImageDraw) -> None:
        for _ in range(int(self.random.integers(3, 40))):
            x, y, size = (*self.random.integers(0, _SIDE, 2), self.random.uniform(2, 16))
            shape = draw.ellipse if self.random.random() < 0.5 else draw.rectangle
            shape((x, y, x + size, y + size * self.random.uniform(0.5, 2)), 255)

    def _scribble(self, draw: ImageDraw.ImageDraw) -> None:
        steps = self.random.normal(0, self.random.uniform(5, 40), (int(self.random.integers(3, 60)), 2))
        points = np.cumsum(steps, axis=0) + self.random.integers(0, _SIDE, 2)
        draw.line([tuple(point) for point in points], 255, int(self.random.integers(1, 8)))

    def _straws(self, draw: ImageDraw.ImageDraw) -> None:
        length, width = self.random.uniform(5, 40), int(self.random.integers(1, 5))
        for _ in range(int(self.random.integers(5, 60))):
            start = self.random.integers(0, _SIDE, 2)
            draw.line((*start, *(start + self.random.normal(0, length, 2))), 255, width)

    def _skyline(self, draw: ImageDraw.ImageDraw) -> None:
        place, floor, height = (*self.random.uniform(0, 200, 2), self.random.uniform(4, 40))
        for _ in range(int(self.random.integers(3, 30))):
            width = self.random.uniform(1, 9)
            draw.rectangle((place, floor - self.random.uniform(0.3, 1) * height, place + width, floor), 255)
            place += width + self.random.uniform(0, 6)

    def _spoil(self, canvas: Array) -> Array:
        """Blur, noise and JPEG, as found images have them."""
        rng = self.random
        if rng.random() < 0.3:
            canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 1.3))
        if rng.random() < 0.3:
            canvas = canvas + rng.standard_normal(canvas.shape, np.float32) * rng.uniform(2, 15)
        spoilt = np.clip(canvas, 0, 255).astype(np.uint8)
        if rng.random() < 0.5:
            file = io.BytesIO()
            Image.fromarray(spoilt).save(file, "JPEG", quality=int(rng.integers(25, 95)))
            spoilt = np.asarray(Image.open(file))
        return spoilt
