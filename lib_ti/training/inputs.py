"""What a run works on, as far as it can be judged without the model: embedding, template, folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lib_ti.config import TrainConfig, problems
from lib_ti.data.templates import Template, find_template
from lib_ti.embedding import files, library
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import Folders
from lib_ti.paths import folder_problem, path_problem
from lib_ti.storage.in_use import obstacle
from lib_ti.training.run_length import with_max_steps
from lib_ti.wording import counted, printable, quoted


@dataclass(frozen=True)
class RunInputs:
    """The embedding's file, the embedding in it, the prompt template, and the settings with the step of the end."""

    path: Path
    embedding: Embedding
    template: Template
    config: TrainConfig


def read_inputs(folders: Folders, config: TrainConfig) -> RunInputs:
    """Read everything that needs no model.

    Raises
    ------
    BadInput
        All problems of settings, embedding, template and folders together.
    """
    found = problems(config)
    path, embedding, template = Path(), None, None
    try:
        if config.name.strip():
            path = library.find(folders.embeddings, config.name)
            if said := obstacle(library.target(path)):
                found.append(said)
            embedding = files.load(path)
            config = with_max_steps(config, embedding)
            found += [problem for problem in problems(config) if problem not in found]
            if config.max_steps and embedding.step >= config.max_steps:
                steps = counted(embedding.step, "step")
                found.append(
                    f"Embedding {quoted(config.name)} has been trained for {steps} already, and Max steps is "
                    f"{config.max_steps}: raise Max steps to continue."
                )
    except BadInput as error:
        found += error.problems
    try:
        if config.template.strip():
            template = find_template(config.template, folders.templates)
    except BadInput as error:
        found += error.problems
    if config.dataset and not path_problem(config.dataset) and (wrong := folder_problem(Path(config.dataset))):
        found.append(f"Dataset directory {wrong}")
    written_to = {"Log directory": Path(config.log_directory), "Embeddings folder": folders.embeddings}
    found += [problem for label, folder in written_to.items() if (problem := _unwritable(label, folder))]
    if found or embedding is None or template is None:
        raise BadInput(found)
    return RunInputs(path, embedding, template, config)


def _unwritable(label: str, folder: Path) -> str | None:
    """Return a sentence when nothing can be written below ``folder``; creates nothing to find out."""
    existing = folder.absolute()
    if printable(existing) != str(existing):  # safetensors takes no other paths
        return f"{label} {quoted(folder)} cannot be used: its path is not UTF-8; choose another folder."
    # Unlike Path's, these functions don't raise where a folder on the way may not be entered.
    while not os.path.exists(existing) and existing != existing.parent:
        existing = existing.parent
    if not os.path.isdir(existing):
        return f"{label} {quoted(folder)} cannot be created: {existing} is a file; choose another folder."
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{label} {quoted(folder)} is not writable: {existing} is read-only; choose another folder."
    return None
