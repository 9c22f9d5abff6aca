"""The same prompts drawn with the copies of several steps: what the embedding learned, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import Stopped
from lib_ti.host.model import ImageRequest, Model
from lib_ti.placeholders import with_name, without
from lib_ti.training.images.plot import contact_sheet

_CFG_SCALE = 5.0


def compare_steps(
    model: Model,
    copies: Sequence[Embedding | None],
    prompts: Sequence[str],
    path: Path,
    *,
    seed: int,
    best_step: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Path:
    """Generate each prompt with each copy, from the same noise, as one sheet: steps across, prompts down.

    Parameters
    ----------
    copies
        The same embedding after different steps, the earliest first; None for the prompt without its name.
    prompts
        ``[name]`` stands for the embedding.
    best_step
        The step that is marked as the best one.
    progress
        Called with the number of images that are done, and of all.
    stop
        Whether to stop, asked between the sampler's steps.

    Raises
    ------
    Stopped
        When ``stop`` was true; no file was written.
    """
    size = model.info.size

    def picture(row: int, column: int) -> Image.Image:
        embedding = copies[column]
        request = ImageRequest(
            prompt=with_name(prompts[row], embedding.name) if embedding else without(prompts[row]),
            cfg_scale=_CFG_SCALE,
            seed=seed + row,
            width=size,
            height=size,
        )
        done, total = row * len(copies) + column, len(prompts) * len(copies)
        if progress:
            progress(done, total)
        try:
            return model.generate(request, [embedding] if embedding else [], stop)
        except Stopped as stopped:
            raise Stopped(
                f"The contact sheet was stopped after {done} of {total} images; no file was written."
            ) from stopped

    name = next((copy.name for copy in copies if copy), "")
    rows = [with_name(prompt, name) for prompt in prompts]
    title = f"{name}: the same prompts after more and more steps"
    return contact_sheet(path, [_column(copy, best_step) for copy in copies], rows, picture, title=title)


def _column(copy: Embedding | None, best_step: int | None) -> str:
    if copy is None:
        return "without it"
    best = " (best)" if copy.step == best_step else ""
    return f"before (step 0){best}" if copy.step == 0 else f"step {copy.step}{best}"
