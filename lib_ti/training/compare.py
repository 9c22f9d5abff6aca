"""The same prompts drawn with the copies of several steps: what the embedding learned, and when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import Model, PictureRequest
from lib_ti.placeholders import with_name
from lib_ti.training.plot import contact_sheet


def compare_steps(
    model: Model,
    copies: Sequence[Embedding],
    prompts: Sequence[str],
    path: Path,
    *,
    seed: int,
    steps: int = 20,
    cfg_scale: float = 5.0,
) -> Path:
    """Draw each prompt with each copy, from the same noise, and write them as one sheet: steps across, prompts down.

    Parameters
    ----------
    copies
        The same embedding after different steps, the earliest first.
    prompts
        ``[name]`` stands for the embedding.
    """
    size = model.info.size

    def picture(row: int, column: int) -> Image.Image:
        embedding = copies[column]
        request = PictureRequest(
            prompt=with_name(prompts[row], embedding.name),
            steps=steps,
            cfg_scale=cfg_scale,
            seed=seed + row,
            width=size,
            height=size,
        )
        return model.generate(request, [embedding])

    columns = ["before" if copy.step == 0 else f"step {copy.step}" for copy in copies]
    rows = [with_name(prompt, copies[-1].name) for prompt in prompts]
    return contact_sheet(
        path, columns, rows, picture, title=f"{copies[-1].name}: the same prompts after more and more steps"
    )
