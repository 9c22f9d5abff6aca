"""The demo: training a style that a pocket model has no word for, from start to finish."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from lib_ti.config import CreateConfig, TrainConfig
from lib_ti.embedding import files
from lib_ti.errors import BadInput
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINT, CHECKPOINTS
from lib_ti.pocket.sample_set import sample_set
from lib_ti.signals import Control, Evaluated, Event, Listener, RunFinished
from lib_ti.training.create import create
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.images.contact_sheet import compare_steps
from lib_ti.training.images.plot import loss_plot
from lib_ti.training.run import train
from lib_ti.wording import quoted, some

NAME = "comic-style"
STYLE = "dotted+outlined"
IMAGES = 30
OWN = ("images", "pictures", "embeddings", "textual_inversion", "contact-sheet.png", "loss.png")
"""What the demo writes into its folder."""
RATE = "0.03"
"""Higher than for CLIP's vectors: those of the pocket model's words are several times longer."""
PROMPTS = (
    "a big red circle, white background, by [name]",
    "a small blue star on the left, pink background, by [name]",
    "a big green cross, grey background, by [name]",
    "a big yellow triangle on the right, cyan background, by [name]",
)


def run_demo(folder: Path, family: str, steps: int, listen: Listener, control: Control) -> bool:
    """Create images and an embedding, train it, and compare its checkpoints. Returns False when stopped.

    Parameters
    ----------
    folder
        Gets ``images``, ``embeddings``, the run under ``textual_inversion``, and ``contact-sheet.png``.
    family
        Of the pocket model that is trained: a key of :data:`lib_ti.pocket.CHECKPOINTS`.
    steps
        Training steps, at batch size 4.
    """
    _check_folder(folder)
    images = folder / "images"
    sample_set(images, STYLE, count=IMAGES)
    _say(f"1. Created {IMAGES} images with captions in {images}, in a style that the model has no word for.")
    host = EmbeddedHost(CHECKPOINTS[family], embeddings_folder=folder / "embeddings")
    created = create(host, CreateConfig(name=NAME, text="style", vectors=4, overwrite=True))
    _say(f"2. Created the embedding {NAME} with 4 vectors, starting from the word “style”.")
    for kept in created.replaced:
        _say(f"   That of an earlier demo is kept as {kept}.")
    _say("3. Training:")
    checks: list[Evaluated] = []

    def note(event: Event) -> None:
        if isinstance(event, Evaluated):
            checks.append(event)
        listen(event)

    config = TrainConfig(
        name=NAME,
        dataset=str(images),
        template="style_filewords",
        log_directory=str(folder / "textual_inversion"),
        learning_rate=RATE,
        learning_rate_decay="cosine",
        max_steps=steps,
        batch_size=4,
        save_image_every=max(1, steps // 4),
        save_embedding_every=max(1, steps // 4),
        validate_every=max(1, steps // 16),
        preview_prompt=PROMPTS[0],
        preview_cfg=5.0,
        preview_seed=1,
    )
    finished = train(host, config, note, control)
    if finished.reason != "done":
        return False
    _say("4. Generating the same prompts with each checkpoint of the embedding …")
    sheet, plot = _sheet(host, folder, finished)
    _say(_summary(folder, finished, checks, sheet, plot))
    _say(f"\nGenerate with it:\n  {_command(host, family)}")
    return True


def _check_folder(folder: Path) -> None:
    """Raise :class:`BadInput` where a folder has files that are not the demo's."""
    others = [path.name for path in folder.glob("[!.]*") if path.name not in OWN] if folder.is_dir() else []
    if others:
        raise BadInput(
            f"The folder {quoted(folder)} contains other files ({some(others)}): choose an empty or new one."
        )


def _sheet(host: EmbeddedHost, folder: Path, finished: RunFinished) -> tuple[Path, Path]:
    run = RunFolder(finished.folder, NAME)
    checkpoints = [files.load(path) for _, path in run.checkpoints()]
    with host.models.session(SessionOptions()) as model:
        start = checkpoints[0].with_vectors(model.initial_vectors("style", checkpoints[0].count), step=0)
        sheet = compare_steps(
            model,
            [replace(copy, name=NAME) for copy in (start, *checkpoints)],
            PROMPTS,
            folder / "contact-sheet.png",
            seed=11,
            best_step=finished.best_step,
        )
    return sheet, loss_plot(run, folder / "loss.png")


def _summary(folder: Path, finished: RunFinished, checks: list[Evaluated], sheet: Path, plot: Path) -> str:
    first, last = checks[0], checks[-1]
    return f"""
Learned {NAME} in {finished.seconds:.0f} s: the validation loss went from {first.loss:.4f} to
{last.loss:.4f} ({100 * (last.loss / first.loss - 1):+.0f} %). The best step was {finished.best_step}.

  the embedding        {finished.embedding}
  before and after     {sheet}
  the loss             {plot}
  the whole run        {finished.folder}
  what it learned from {folder / "images"}"""


def _command(host: EmbeddedHost, family: str) -> str:
    """Return the command line that generates an image with the learned embedding."""
    checkpoint = [] if CHECKPOINTS[family] == CHECKPOINT else ["--checkpoint", _short(CHECKPOINTS[family])]
    prompt = f"a small purple ring, white background, by {NAME}"
    folder = ["--embeddings-dir", str(host.folders.embeddings)]
    command = [_short(sys.executable), "-m", "lib_ti", "generate", prompt, *checkpoint, *folder, "--cfg", "5"]
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def _short(path: Path | str) -> str:
    """Return a path relative to the current folder where that is shorter."""
    try:
        return min(os.path.relpath(path), str(path), key=len)
    except ValueError:  # another drive
        return str(path)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
