"""Training sets of the pocket model's world, as a user would put them into a folder."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from pathlib import Path

from PIL import Image

from lib_ti.errors import BadInput
from lib_ti.pocket.captions import caption
from lib_ti.pocket.world import COLOURS, SHAPES, draw, random_spec
from lib_ti.storage.atomic import write_bytes


def sample_set(folder: Path | str, style: str, count: int = 30, seed: int = 0) -> list[Path]:
    """Write `count` images in one style as `01.png`... with captions `01.txt`... that do not mention the style.

    Returns
    -------
    list
        The images' paths.

    Raises
    ------
    BadInput
        When one of these files exists with other content; nothing is written then.
    """
    folder = Path(folder)
    rng = random.Random(f"sample set {style} {seed}")
    samples: dict[Path, tuple[Image.Image, str]] = {}
    for number in range(1, count + 1):
        # Shapes and colours in turn, so that a small set still shows the style on each of them.
        spec = replace(
            random_spec(rng, style),
            shape=SHAPES[number % len(SHAPES)],
            colour=tuple(COLOURS)[(number + number // len(SHAPES)) % len(COLOURS)],
        )
        text = caption(spec, number, complete=True, name_style=False) + "\n"
        samples[folder / f"{number:02d}.png"] = (draw(spec), text)
    for path, (image, text) in samples.items():
        _check_free(path, image, text)
    for path, (image, text) in samples.items():
        file = io.BytesIO()
        image.save(file, "PNG")
        write_bytes(path, file.getvalue())
        write_bytes(path.with_suffix(".txt"), text.encode())
    return list(samples)


def _check_free(path: Path, image: Image.Image, text: str) -> None:
    caption = path.with_suffix(".txt")
    if (path.exists() and not _shows(path, image)) or (caption.exists() and caption.read_bytes() != text.encode()):
        raise BadInput(f"{path} or its caption exists already and differs: choose another folder.")


def _shows(path: Path, image: Image.Image) -> bool:
    try:
        with Image.open(path) as found:
            return found.size == image.size and found.convert("RGB").tobytes() == image.tobytes()
    except OSError:
        return False
