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
from lib_ti.data.preparations import without_excluded
from lib_ti.data.scan import scan
from lib_ti.data.templates import Template, find_template
from lib_ti.embedding import files, library
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, NeedsConsent
from lib_ti.families.model_info import ModelInfo
from lib_ti.host.base import Folders
from lib_ti.in_use import obstacle
from lib_ti.paths import folder_problem, path_problem
from lib_ti.signals import Listener, Note
from lib_ti.training.rundir import RunFolder, find_run, new_run
from lib_ti.training.state import Identity, RunState, compare
from lib_ti.wording import counted, printable, quoted


@dataclass(frozen=True)
class Start:
    """What a run begins with: the embedding and its file, the run folder, and the state to go on from."""

    path: Path
    embedding: Embedding
    folder: RunFolder
    state: RunState


def read_inputs(folders: Folders, config: TrainConfig) -> tuple[Path, Embedding, Template]:
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
            path = library.find(folders.embeddings, config.name)
            if said := obstacle(library.target(path)):
                found.append(said)
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
            template = find_template(config.template, folders.templates)
    except BadInput as error:
        found += error.problems
    if config.dataset and not path_problem(config.dataset) and (wrong := folder_problem(Path(config.dataset))):
        found.append(f"Dataset directory {wrong}")
    places = {"Log directory": Path(config.log_directory), "Embeddings folder": folders.embeddings}
    found += [problem for label, place in places.items() if (problem := _unwritable(label, place))]
    if found or embedding is None or template is None:
        raise BadInput(found)
    return path, embedding, template


def _unwritable(label: str, folder: Path) -> str | None:
    """One sentence when nothing can be written below ``folder``; nothing is created to find out."""
    existing = folder.absolute()
    if printable(existing) != str(existing):  # safetensors takes no other paths
        return f"{label} {quoted(folder)} cannot be used: its path is not UTF-8; choose another folder."
    # Unlike Path's, these functions don't raise where a folder on the way may not be entered.
    while not os.path.exists(existing) and existing != existing.parent:
        existing = existing.parent
    if not os.path.isdir(existing):
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
    """The dataset as this run uses it, less what was excluded by hand; without measuring nothing is held out.

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
    return without_excluded(scan(Path(config.dataset), rules, progress=progress))


def find_place(
    config: TrainConfig,
    embedding: Embedding,
    info: ModelInfo,
    found: Dataset,
    template: Template,
    listen: Listener,
    *,
    new_data: bool,
) -> tuple[RunFolder, RunState]:
    """The folder and state of this run: those of the run that the embedding comes from, or fresh ones.

    Parameters
    ----------
    new_data
        The user agreed to train on other images than so far, which is done in a run of its own.

    Raises
    ------
    BadInput
        When that run cannot be continued, being of another model.
    NeedsConsent
        When the images are those of another dataset, see :func:`is_other_data`, and ``new_data`` is false.
    """
    identity = Identity(
        run=uuid.uuid4().hex,
        model_name=info.name,
        model_hash=info.hash,
        dataset=found.fingerprint,
        template="\n".join(template.lines),
        settings=to_mapping(config),
        images=image_marks(found),
    )
    before = continued_run(config, embedding)
    if before:
        folder, state = before
        refusals, changes = compare(state.identity, identity)
        if refusals:
            raise BadInput(refusals)
        if not is_other_data(state.identity, found):
            for change in changes:
                listen(Note(change, warning=True))
            seed = state.preview_seed if config.preview_seed < 0 else config.preview_seed
            return folder, replace(state, identity=replace(identity, run=state.identity.run), preview_seed=seed)
        if not new_data:
            raise NeedsConsent(question(config, embedding, found))
        listen(Note(f"A new run begins with these vectors, on other images; the run so far stays in {folder.path}."))
    elif embedding.step:
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
    return new_run(Path(config.log_directory), embedding.name, datetime.date.today()), _fresh(
        identity, embedding, config
    )


def _fresh(identity: Identity, embedding: Embedding, config: TrainConfig) -> RunState:
    return RunState(
        identity=identity,
        step=embedding.step,
        vectors=embedding.vectors,
        optimizer={},
        scale={},
        preview_seed=config.preview_seed if config.preview_seed >= 0 else random.SystemRandom().randrange(2**32),
        first_step=embedding.step,
        published=embedding.step,
    )


def continued_run(config: TrainConfig, embedding: Embedding) -> tuple[RunFolder, RunState] | None:
    """The run that the embedding in its folder comes from, where it can be continued."""
    before = find_run(Path(config.log_directory), embedding.name, str(embedding.recipe.get("run", "")))
    return before if before and continues(embedding, before[1]) else None


def image_marks(found: Dataset) -> tuple[str, ...]:
    """What identifies the images of a dataset by their contents."""
    return tuple(sorted(item.digest[:12] for item in found.all_items))


def is_other_data(former: Identity, found: Dataset) -> bool:
    """Whether the run would continue with another dataset, and not with the same one, edited.

    Files are compared by content. With images added, removed or renamed, or with other captions, sizes or masks, it is
    the same dataset. It is another one when the two share fewer than half of the images of the smaller one. States of
    earlier versions do not know their images: there it is another one when the folder is another and anything differs.
    """
    if former.dataset == found.fingerprint:
        return False
    if not former.images:
        return Path(str(former.settings.get("dataset", ""))).absolute() != found.folder.absolute()
    images = image_marks(found)
    return 2 * len({*former.images} & {*images}) < min(len(former.images), len(images))


def question(config: TrainConfig, embedding: Embedding, found: Dataset) -> str:
    """What to ask before the embedding is trained on these images; empty when there is nothing to ask."""
    before = continued_run(config, embedding)
    if before is None or not is_other_data(before[1].identity, found):
        return ""
    folder, state = before
    former = quoted(str(state.identity.settings.get("dataset", "")))
    return (
        f"{embedding.name} was trained for {counted(state.step, 'step')} on other images ({former}) than those in "
        f"{quoted(config.dataset)}. To continue on these, press “Train on the new images” (on the command line, add "
        "--new-data): a run in a folder of its own then starts from the present vectors, and nothing in "
        f"{folder.path} is replaced. Or choose the former Dataset directory."
    )


def continues(embedding: Embedding, state: RunState) -> bool:
    """Whether the file in the embeddings folder is the one this run left there.

    A killed run leaves the file of its last save, or already that of the save it did not finish. An earlier step is a
    copy that the user put there, to train on from that step.
    """
    if embedding.step == state.step:
        return all(tensor.equal(state.vectors[key]) for key, tensor in embedding.vectors.items())
    return embedding.step > state.step or embedding.step == state.published
