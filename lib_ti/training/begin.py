"""How a run begins: what it works on, and whether it continues an earlier one."""

from __future__ import annotations

import datetime
import os
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from lib_ti.config import TrainConfig, problems, to_mapping
from lib_ti.data.dataset import Dataset, Resize, Rules
from lib_ti.data.scan import scan
from lib_ti.data.templates import Template, find_template
from lib_ti.embedding import files, library
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import Host, ModelInfo
from lib_ti.signals import Listener, Note
from lib_ti.training.rundir import RunFolder, find_run, new_run
from lib_ti.training.state import Identity, RunState, compare, measures_otherwise
from lib_ti.wording import counted, quoted


@dataclass(frozen=True)
class Start:
    """What a run begins with: the embedding and its file, the run folder, and the state to go on from."""

    path: Path
    embedding: Embedding
    folder: RunFolder
    state: RunState


def read_inputs(host: Host, config: TrainConfig) -> tuple[Path, Embedding, Template]:
    """Everything that can be judged without the model.

    Returns
    -------
    tuple
        The embedding's file, the embedding, the template.

    Raises
    ------
    BadInput
        All problems of settings, embedding, template and folders together.
    """
    found = problems(config)
    path, embedding, template = Path(), None, None
    try:
        if config.name.strip():
            path = library.find(host.embeddings_folder, config.name)
            embedding = files.load(path)
            if embedding.step >= config.max_steps:
                steps = counted(embedding.step, "step")
                found.append(
                    f"Embedding {quoted(config.name)} is trained for {steps} already, and Max steps is "
                    f"{config.max_steps}: raise Max steps to train some more."
                )
    except BadInput as error:
        found += error.problems
    try:
        if config.template.strip():
            template = find_template(config.template, host.template_folders)
    except BadInput as error:
        found += error.problems
    folder = Path(config.dataset)
    if config.dataset.strip() and not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        found.append(f"Dataset directory {quoted(config.dataset)} {what}: give the folder with the pictures.")
    places = {"Log directory": Path(config.log_directory), "Embeddings folder": host.embeddings_folder}
    found += [problem for label, place in places.items() if (problem := _unwritable(label, place))]
    if found or embedding is None or template is None:
        raise BadInput(found)
    return path, embedding, template


def _unwritable(label: str, folder: Path) -> str | None:
    """One sentence when nothing can be written below ``folder``; nothing is created to find out."""
    existing = folder.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        return f"{label} {quoted(folder)} cannot be made: {existing} is a file; choose another folder."
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"{label} {quoted(folder)} cannot be written: {existing} is read-only; choose another folder."
    return None


def training_size(config: TrainConfig, info: ModelInfo) -> tuple[int, int]:
    """Width and height in pixels: those that are set, else the ones the model was made for."""
    return config.width or info.size, config.height or info.size


def look_at_pictures(
    config: TrainConfig, size: tuple[int, int], progress: Callable[[int, int], None] | None = None
) -> Dataset:
    """The dataset as this run uses it; without measuring nothing is held out.

    Parameters
    ----------
    progress
        Called with files done and in all.
    """
    rules = Rules(
        *size,
        resize=cast("Resize", config.resize),
        use_alpha=config.use_alpha,
        held_out=config.held_out if config.evaluate_every else 0.0,
        seed=config.seed,
        subfolders=config.subfolders,
    )
    return scan(Path(config.dataset), rules, progress=progress)


def find_place(
    config: TrainConfig, embedding: Embedding, info: ModelInfo, fingerprint: str, template: Template, listen: Listener
) -> tuple[RunFolder, RunState]:
    """The folder and state of this run: those of the run that the embedding comes from, or fresh ones.

    Parameters
    ----------
    fingerprint
        Of the dataset.

    Raises
    ------
    BadInput
        When that run cannot be continued, being of another model.
    """
    identity = Identity(
        run=uuid.uuid4().hex,
        model_name=info.name,
        model_hash=info.hash,
        dataset=fingerprint,
        template="\n".join(template.lines),
        settings=to_mapping(config),
    )
    log_directory = Path(config.log_directory)
    before = find_run(log_directory, embedding.name, str(embedding.recipe.get("run", "")))
    if before and continues(embedding, before[1]):
        folder, state = before
        refusals, changes = compare(state.identity, identity)
        if refusals:
            raise BadInput(refusals)
        for change in changes:
            listen(Note(change, warning=True))
        if measures_otherwise(state.identity, identity):
            # Losses on other pictures or prompts cannot be compared.
            state = replace(state, best=None, best_vectors={}, first_loss=None, checks_since_best=0)
        seed = state.preview_seed if config.preview_seed < 0 else config.preview_seed
        return folder, replace(state, identity=replace(identity, run=state.identity.run), preview_seed=seed)
    if embedding.step:
        steps = counted(embedding.step, "step")
        listen(Note(f"No state of the first {steps} is at hand: a new run begins with these vectors."))
    if embedding.step and embedding.model_hash not in ("", info.hash):
        listen(
            Note(
                f"So far it was trained on {embedding.model_name} [{embedding.model_hash}]; this run goes on with "
                f"{info.name} [{info.hash}].",
                warning=True,
            )
        )
    state = RunState(
        identity=identity,
        step=embedding.step,
        vectors=embedding.vectors,
        optimizer={},
        scale={},
        preview_seed=config.preview_seed if config.preview_seed >= 0 else random.SystemRandom().randrange(2**32),
        first_step=embedding.step,
        published=embedding.step,
    )
    return new_run(log_directory, embedding.name, datetime.date.today()), state


def continues(embedding: Embedding, state: RunState) -> bool:
    """Whether the file in the embeddings folder is the one this run left there.

    A killed run leaves the file of its last save, or already that of the save it did not finish. An earlier step is a
    copy that the user put there, to train on from that step.
    """
    if embedding.step == state.step:
        return all(tensor.equal(state.vectors[key]) for key, tensor in embedding.vectors.items())
    return embedding.step > state.step or embedding.step == state.published
