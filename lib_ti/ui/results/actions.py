"""What the buttons of the sub-tab Results do, from plain values to plain results. Knows no Gradio."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from lib_ti import in_use
from lib_ti.data.images import open_picture
from lib_ti.embedding import files, library
from lib_ti.host.base import Host
from lib_ti.training import rundir
from lib_ti.training.place import Placed, has_checkpoint, place
from lib_ti.training.preview import show_on_card
from lib_ti.ui.results.state import RunResults


def restore_checkpoint(run: RunResults, host: Host, step: str) -> tuple[Placed, int]:
    """Make a checkpoint the embedding in the embeddings folder, in the embedding's file format, with its preview.

    The file it replaces is kept aside, unless a run of the embedding has a checkpoint with the same vectors.

    Returns
    -------
    tuple
        What was written, and the checkpoint's step.

    Raises
    ------
    BadInput
        When there is no such checkpoint, several files have the embedding's name, or the embedding is being trained.
    """
    embedding = run.checkpoint(step)
    there = library.find_all(host.folders.embeddings, run.name)
    path = there[0] if len(there) == 1 else host.folders.embeddings / f"{run.name}.safetensors"
    if len(there) > 1:
        path = library.find(host.folders.embeddings, run.name)  # raises the error that names these files
    with in_use.held(library.target(path), "replaced"):
        known = path.exists() and has_checkpoint(rundir.find_runs(run.folder.path.parents[1], run.name), path)
        placed = place(host.models, embedding, path, keep_replaced=not known)
        image = run.folder.preview_near(embedding.step)
        kept = show_on_card(image, path) if image else None
    return replace(placed, replaced=(*placed.replaced, *([kept] if kept else []))), embedding.step


def export_checkpoint(run: RunResults, step: str, suffix: str) -> Path:
    """Write a checkpoint as a file of that format into a new temporary folder, under the embedding's name."""
    embedding = run.checkpoint(step)
    target = Path(tempfile.mkdtemp(prefix="textual-inversion-")) / f"{run.name}{suffix}"
    shown = run.folder.preview_near(embedding.step) if suffix == ".png" else None
    files.save(embedding, target, open_picture(shown).image if shown else None)
    return target
