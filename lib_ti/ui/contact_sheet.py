"""Contact sheets of a run: the same prompts before training and with checkpoints from the whole run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import Host, SessionOptions
from lib_ti.host.model import Model
from lib_ti.training.compare import compare_steps
from lib_ti.ui.results.state import evenly
from lib_ti.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lib_ti.ui.results.state import RunResults

MOST_CHECKPOINTS = 6
"""Of more, evenly chosen ones are used, the first and the last among them."""
MOST_PROMPTS = 24


def draw(run: RunResults, host: Host, prompts: str, progress: Callable[[int, int], None]) -> tuple[Path, str]:
    """Generate each prompt with the initial vectors and with checkpoints of the run.

    Parameters
    ----------
    prompts
        One a line, with ``[name]`` for the embedding.
    progress
        Called with the number of images that are done, and of all.

    Returns
    -------
    tuple
        The new file in the run's folder, and a sentence on what is in it.

    Raises
    ------
    BadInput
        When there is no prompt or no checkpoint, or more prompts than fit a sheet.
    ModelInUse
        When something else uses the model.
    """
    lines = [line.strip() for line in prompts.splitlines() if line.strip()]
    if not lines:
        raise BadInput("There is no prompt: write one a line, with [name] for the embedding.")
    if len(lines) > MOST_PROMPTS:
        raise BadInput(f"There are {len(lines)} prompts, and a contact sheet has room for {MOST_PROMPTS}: remove some.")
    numbered = run.folder.copies()
    if not numbered:
        raise BadInput("This run has no numbered copies: set Save a copy of embedding every, and train again.")
    chosen = [replace(files.load(path), name=run.name) for _, path in evenly(numbered, MOST_CHECKPOINTS)]
    seed = int(run.settings_file().get("preview_seed", 0)) % 2**31
    path = run.folder.new_contact_sheet()
    verdict = run.verdict()
    best = verdict.best_step if verdict else None
    with host.models.session(SessionOptions(wait=False)) as model:
        shown = [_initial(model, chosen[0]), *chosen]
        compare_steps(model, shown, lines, path, seed=seed, best_step=best, progress=progress)
    checkpoints = counted(len(chosen), "checkpoint")
    if len(chosen) < len(numbered):
        checkpoints += f" of {len(numbered)}, evenly chosen"
    return path, f"{counted(len(lines), 'prompt')}, before training and with {checkpoints}: {path}"


def _initial(model: Model, checkpoint: Embedding) -> Embedding | None:
    """The vectors that the embedding started from; None, for no embedding, where the file does not name their text."""
    text = str(checkpoint.recipe.get("initialization_text", ""))
    if not text.strip():
        return None
    return checkpoint.with_vectors(model.initial_vectors(text, checkpoint.count), step=0)
