"""Contact sheets of a run: the same prompts before training and with checkpoints from the whole run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lib_ti.background.kinds import CONTACT_SHEET
from lib_ti.background.model_use import naming_dataset_task
from lib_ti.background.tasks import BackgroundTasks, TaskContext
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import Host, SessionOptions
from lib_ti.host.model import Model
from lib_ti.training.images.contact_sheet import compare_steps
from lib_ti.ui.results.state import evenly
from lib_ti.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    from lib_ti.ui.results.state import RunResults

MOST_CHECKPOINTS = 6
"""Of more, evenly chosen ones are used, the first and the last among them."""
MOST_PROMPTS = 24


@dataclass(frozen=True)
class ContactSheet:
    """The image file of a contact sheet, the folder of its run, and a sentence on what is in it."""

    path: Path
    run: Path
    caption: str


def start(tasks: BackgroundTasks, run: RunResults, host: Host, prompts: str) -> None:
    """Start a task that generates a contact sheet; its result is a :class:`ContactSheet`.

    Raises
    ------
    BadInput
        When there is no prompt, or more prompts than fit a sheet.
    Busy
        When a run or another contact sheet is in progress.
    """
    read_prompts(prompts)

    def work(task: TaskContext) -> ContactSheet:
        with naming_dataset_task(tasks):
            return generate(run, host, prompts, task)

    tasks.start(CONTACT_SHEET, f"Contact sheet of {run.name}", work)


def read_prompts(text: str) -> list[str]:
    """Split prompts, one a line; raises :class:`BadInput` for none, and for more than fit a sheet."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise BadInput("There is no prompt: write one a line, with [name] for the embedding.")
    if len(lines) > MOST_PROMPTS:
        raise BadInput(f"There are {len(lines)} prompts, and a contact sheet has room for {MOST_PROMPTS}: remove some.")
    return lines


def generate(run: RunResults, host: Host, prompts: str, task: TaskContext) -> ContactSheet:
    """Generate each prompt with the initial vectors and with checkpoints of the run, into a new file of its folder.

    Parameters
    ----------
    prompts
        One a line, with ``[name]`` for the embedding.

    Raises
    ------
    BadInput
        When there is no prompt or no checkpoint, or more prompts than fit a sheet.
    Busy
        When the host has given the model to something else and does not wait.
    Stopped
        When the task should stop; no file was written.
    """
    lines = read_prompts(prompts)
    numbered = run.folder.checkpoints()
    if not numbered:
        raise BadInput("This run has no numbered checkpoints: set Save a copy of embedding every, and train again.")
    chosen = [replace(files.load(path), name=run.name) for _, path in evenly(numbered, MOST_CHECKPOINTS)]
    seed = int(run.settings_file().get("preview_seed", 0)) % 2**31
    path = run.folder.new_image("contact-sheet")
    verdict = run.verdict()
    best = verdict.best_step if verdict else None
    progress, stop = task.report_progress, task.stop_requested
    with host.models.session(SessionOptions(report=task.report_message, stop=stop)) as model:
        task.report_message("")
        shown = [_initial(model, chosen[0]), *chosen]
        compare_steps(model, shown, lines, path, seed=seed, best_step=best, progress=progress, stop=stop)
    checkpoints = counted(len(chosen), "checkpoint")
    if len(chosen) < len(numbered):
        checkpoints += f" of {len(numbered)}, evenly chosen"
    caption = f"{counted(len(lines), 'prompt')}, before training and with {checkpoints}: {path}"
    return ContactSheet(path, run.folder.path, caption)


def _initial(model: Model, checkpoint: Embedding) -> Embedding | None:
    """The vectors that the embedding started from; None, for no embedding, where the file does not name their text."""
    text = str(checkpoint.recipe.get("initialization_text", ""))
    if not text.strip():
        return None
    return checkpoint.with_vectors(model.initial_vectors(text, checkpoint.count), step=0)
