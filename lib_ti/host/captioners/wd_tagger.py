"""WD taggers: an ONNX model that scores tags, and the list of these tags, by the optional package ``onnxruntime``.

As SmilingWolf's ``wd-*-tagger`` models on huggingface.co: images are squares in blue, green, red, padded with white.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

from lib_ti.errors import BadInput
from lib_ti.host.tools import TagOptions

_CHARACTER, _RATING = 4, 9
"""Categories of Danbooru; ratings are never written, and the others are general tags."""
_MOST_OF_FACES = 1
"""Letters and digits on each side of the underscore of a face such as 0_0, which keeps it."""


@dataclass(frozen=True)
class Tag:
    name: str
    category: int


class WDTagger:
    """A captioner; see :class:`lib_ti.host.tools.Captioner`.

    Parameters
    ----------
    session
        The model, from (batch, side, side, 3) to scores (batch, tags) in 0..1.
    """

    def __init__(self, session: Any, tags: Sequence[Tag], options: TagOptions, name: str) -> None:
        self._session, self._tags, self._options, self._name = session, tuple(tags), options, name
        self._input = session.get_inputs()[0]
        self._batches = not isinstance(self._input.shape[0], int)

    @property
    def options(self) -> str:
        return f"{self._name}, WD tagger of {len(self._tags)} tags, {self._options}"

    def caption(self, images: Sequence[Image.Image]) -> list[str]:
        pixels = np.stack([_pixels(image, self._input.shape[1]) for image in images])
        batches = [pixels] if self._batches else np.split(pixels, len(pixels))
        scores = np.concatenate([self._session.run(None, {self._input.name: batch})[0] for batch in batches])
        return [tag_text(self._tags, row.tolist(), self._options) for row in scores]


def tag_text(tags: Sequence[Tag], scores: Sequence[float], options: TagOptions) -> str:
    """Return the tags whose scores are above their threshold, the most confident first, separated by commas."""
    thresholds = {_CHARACTER: options.character_threshold, _RATING: float("inf")}
    chosen = [
        (score, tag.name)
        for tag, score in zip(tags, scores, strict=True)
        if score > thresholds.get(tag.category, options.threshold)
    ]
    ordered = sorted(chosen, key=lambda one: -one[0])
    return ", ".join(_spaced(name) if options.spaces else name for _, name in ordered)


def load(folder: Path, tags_file: str, options: TagOptions, device: torch.device) -> WDTagger:
    """Load a tagger; on a GPU where ``onnxruntime`` was built for it.

    Raises
    ------
    BadInput
        When a file is missing, damaged, or of another model than the other one; or the package is missing.
    """
    models = sorted(folder.glob("*.onnx"))
    missing = [
        name for name, there in (("model.onnx", models), (tags_file, (folder / tags_file).is_file())) if not there
    ]
    if missing:
        raise BadInput(
            f"The WD tagger in {folder.absolute()} lacks {', '.join(missing)}: put it there, or remove the rest."
        )
    tags = _read_tags(folder / tags_file)
    session = _session(models[0], device)
    shape, count = session.get_inputs()[0].shape, session.get_outputs()[0].shape[-1]
    if len(shape) != 4 or shape[3] != 3 or not isinstance(shape[1], int) or shape[1] != shape[2]:
        raise BadInput(f"{models[0]} takes {shape} and not images (batch, side, side, 3); use another WD tagger.")
    if isinstance(count, int) and count != len(tags):
        raise BadInput(
            f"{models[0]} scores {count} tags, and {tags_file} beside it names {len(tags)}: they belong to different "
            "models; download both again."
        )
    return WDTagger(session, tags, options, folder.name)


def _read_tags(path: Path) -> list[Tag]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [Tag(row["name"], int(row["category"])) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise BadInput(
            f"{path} cannot be read as a table with the columns name and category ({error}); download it again."
        ) from error


def _session(path: Path, device: torch.device) -> Any:
    try:
        runtime = import_module("onnxruntime")
    except ImportError as error:
        raise BadInput(
            f"The WD tagger {path.parent.name} needs the package onnxruntime, which is not installed here: install it "
            "with pip install onnxruntime, or use another captioner."
        ) from error
    wanted = ("CUDAExecutionProvider",) if device.type == "cuda" else ()
    available = runtime.get_available_providers()
    providers = [name for name in (*wanted, "CPUExecutionProvider") if name in available]
    try:
        return runtime.InferenceSession(str(path), providers=providers)
    except Exception as error:  # the package's errors have no common base
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"{path} is damaged, or not a model in ONNX format ({reason}); download it again.") from error


def _pixels(image: Image.Image, side: int) -> np.ndarray[Any, Any]:
    """Return an RGB image as (side, side, 3) float32 in 0..255, blue first, padded with white to a square."""
    square = ImageOps.pad(image, (side, side), Image.Resampling.BICUBIC, color="white")
    return np.asarray(square, np.float32)[:, :, ::-1]


def _spaced(name: str) -> str:
    """Replace underscores by spaces, but in faces such as 0_0, >_< and (o)_(o)."""
    parts = name.split("_")
    face = len(parts) == 2 and all(sum(letter.isalnum() for letter in part) <= _MOST_OF_FACES for part in parts)
    return name if face else name.replace("_", " ")
