"""Recognises shape, colours and style of images of the pocket world: a small convolutional network.

It measures what the pocket model generates (`report`) and what an embedding has learned (the benchmark). It reads the
style's elements slot by slot, so combinations, worded or not, come out by their names.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from .world import BACKGROUNDS, COLOURS, SHAPES, SLOTS, Spec

WEIGHTS = Path(__file__).parent / "weights" / "reader.safetensors"

# Each attribute that is read and its possible answers; a style's slot may also be empty ("").
ANSWERS: dict[str, tuple[str, ...]] = {
    "shape": SHAPES,
    "colour": tuple(COLOURS),
    "background": tuple(BACKGROUNDS),
    **{slot: ("", *elements) for slot, elements in SLOTS.items()},
}


@dataclass(frozen=True)
class Reading:
    """Attributes of an image; `style` is a name of `world.STYLES` or any other combination of elements."""

    shape: str
    colour: str
    background: str
    style: str


class Reader(nn.Module):
    """Images (B, 3, 64, 64) in -1..1 -> scores (B, 27): the answers to all questions, in the order of `ANSWERS`."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 40, 64, 76)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.GroupNorm(4, after), nn.SiLU()]
        layers += [nn.Conv2d(76, 76, 3, 1, 1), nn.SiLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(152, sum(map(len, ANSWERS.values())))

    def forward(self, pixels: Tensor) -> Tensor:
        seen = self.body(pixels)
        return self.head(torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1))


def labels(spec: Spec) -> list[int]:
    """Return the correct answers for a spec, in the order of `ANSWERS`."""
    given = {"shape": spec.shape, "colour": spec.colour, "background": spec.background}
    for slot, elements in SLOTS.items():
        given[slot] = next((element for element in elements if element in spec.elements), "")
    return [answers.index(given[question]) for question, answers in ANSWERS.items()]


def split(scores: Tensor) -> tuple[Tensor, ...]:
    """Split (B, 27) into one (B, answers) for each question."""
    return scores.split([len(answers) for answers in ANSWERS.values()], dim=1)


def as_pixels(images: Sequence[Image.Image] | NDArray[np.uint8] | Tensor) -> Tensor:
    """Return images (Pillow, or (B, 64, 64, 3) uint8) as (B, 3, 64, 64) float32 in -1..1, resized where needed."""
    if isinstance(images, Tensor):
        array = images.numpy()
    elif isinstance(images, np.ndarray):
        array = images
    else:
        array = np.stack([np.asarray(image.convert("RGB").resize((64, 64))) for image in images])
    return torch.from_numpy(np.array(array)).permute(0, 3, 1, 2).float() / 127.5 - 1


def load(path: Path | str = WEIGHTS) -> Reader:
    """Load the trained reader."""
    reader = Reader()
    reader.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return reader.requires_grad_(False).eval()


@torch.no_grad()
def read(images: Sequence[Image.Image] | NDArray[np.uint8] | Tensor, reader: Reader | None = None) -> list[Reading]:
    """Read all images: Pillow images, or an array or tensor (B, 64, 64, 3) uint8."""
    reader = reader or load()
    chosen = [part.argmax(1).tolist() for part in split(reader(as_pixels(images)))]
    readings = []
    for row in zip(*chosen, strict=True):
        found = {question: ANSWERS[question][answer] for question, answer in zip(ANSWERS, row, strict=True)}
        style = "+".join(found[slot] for slot in SLOTS if found[slot]) or "flat"
        readings.append(Reading(found["shape"], found["colour"], found["background"], style))
    return readings
