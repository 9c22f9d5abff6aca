"""Contact sheets: the same prompts generated with the checkpoints of several steps, or with fewer and more vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import Stopped
from lib_ti.host.model import ImageRequest, Model
from lib_ti.placeholders import with_name, without
from lib_ti.training.images.plot import LARGE_CELL, contact_sheet
from lib_ti.wording import counted

_CFG_SCALE = 5.0


def compare_steps(
    model: Model,
    checkpoints: Sequence[Embedding | None],
    prompts: Sequence[str],
    path: Path,
    *,
    seed: int,
    best_step: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Path:
    """Generate each prompt with each checkpoint, from the same noise, as one sheet: steps across, prompts down.

    Parameters
    ----------
    checkpoints
        The same embedding after different steps, the earliest first; None for the prompt without its name.
    prompts
        ``[name]`` stands for the embedding.
    best_step
        The step that is marked as the best one.
    progress
        Called with the number of images generated, and of all.
    stop
        Called between the sampler's steps; True stops.

    Raises
    ------
    Stopped
        When ``stop`` returned True; no file was written.
    """
    sheet = _Images(model, checkpoints, prompts, seed, progress, stop, "The contact sheet")
    name = next((one.name for one in checkpoints if one), "")
    rows = [with_name(prompt, name) for prompt in prompts]
    about = "before and after" if len(checkpoints) == 2 else "the same prompts after different numbers of steps"
    title = f"{name}: {about}"
    return contact_sheet(path, [_heading(one, best_step) for one in checkpoints], rows, sheet.generate, title=title)


def compare_embeddings(
    model: Model,
    pair: Sequence[Embedding],
    headings: Sequence[str],
    prompts: Sequence[str],
    path: Path,
    *,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Path:
    """Generate each prompt with two embeddings, from the same noise, side by side and larger than on other sheets.

    Parameters are those of :func:`compare_steps`; ``headings`` are of the embeddings.

    Raises
    ------
    Stopped
        When ``stop`` returned True; no file was written.
    """
    sheet = _Images(model, pair, prompts, seed, progress, stop, "The comparison")
    title = f"{headings[0]} and {headings[1]}: the same prompts and seeds"
    return contact_sheet(path, headings, list(prompts), sheet.generate, title=title, cell=LARGE_CELL)


def compare_counts(
    model: Model,
    shortened: Sequence[Embedding],
    prompt: str,
    path: Path,
    *,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Path:
    """Generate a prompt with an embedding cut to each number of vectors, from the same noise, side by side.

    Parameters are those of :func:`compare_steps`; ``shortened`` has the fewest vectors first and all of them last.

    Raises
    ------
    Stopped
        When ``stop`` returned True; no file was written.
    """
    sheet = _Images(model, shortened, [prompt], seed, progress, stop, "Comparing the numbers of vectors")
    headings = [counted(one.count, "vector") for one in shortened]
    name = shortened[-1].name
    title = f"{name}: the same prompt with its first vectors only"
    return contact_sheet(path, headings, [with_name(prompt, name)], sheet.generate, title=title)


@dataclass(frozen=True)
class _Images:
    """The images of a sheet; ``what`` it is begins a sentence, the other parameters are :func:`compare_steps`'s."""

    model: Model
    checkpoints: Sequence[Embedding | None]
    prompts: Sequence[str]
    seed: int
    progress: Callable[[int, int], None] | None
    stop: Callable[[], bool] | None
    what: str

    def generate(self, row: int, column: int) -> Image.Image:
        embedding, size = self.checkpoints[column], self.model.info.size
        request = ImageRequest(
            prompt=with_name(self.prompts[row], embedding.name) if embedding else without(self.prompts[row]),
            cfg_scale=_CFG_SCALE,
            seed=self.seed + row,
            width=size,
            height=size,
        )
        done, total = row * len(self.checkpoints) + column, len(self.prompts) * len(self.checkpoints)
        if self.progress:
            self.progress(done, total)
        try:
            return self.model.generate(request, [embedding] if embedding else [], self.stop)
        except Stopped as stopped:
            raise Stopped(f"{self.what} was stopped after {done} of {total} images; no file was written.") from stopped


def _heading(checkpoint: Embedding | None, best_step: int | None) -> str:
    if checkpoint is None:
        return "without it"
    best = " (best)" if checkpoint.step == best_step else ""
    return f"before (step 0){best}" if checkpoint.step == 0 else f"step {checkpoint.step}{best}"
