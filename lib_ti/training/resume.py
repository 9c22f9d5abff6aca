"""Whether a run continues an earlier one, and where its files go."""

from __future__ import annotations

import datetime
import random
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

from lib_ti.config import TrainConfig, to_mapping
from lib_ti.data.dataset import Dataset
from lib_ti.data.templates import Template
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.families.model_info import ModelInfo
from lib_ti.training.checks.findings import Finding
from lib_ti.training.files.run_folder import RunFolder, find_run, new_run, unfinished_runs
from lib_ti.training.files.run_state import Identity, RunState, compare
from lib_ti.training.step.norms import initial_norms
from lib_ti.training.step.optimizers import optimizer_name
from lib_ti.wording import counted, quoted


@dataclass(frozen=True)
class RunTarget:
    """Where a run goes and what it starts from.

    Parameters
    ----------
    question
        What the user must agree to first, empty for nothing; ``folder`` and ``state`` are those after agreeing.
    unfinished
        Folders of runs that ended before their first save, which a new run sets aside.
    """

    folder: RunFolder
    state: RunState
    findings: tuple[Finding, ...] = ()
    question: str = ""
    unfinished: tuple[RunFolder, ...] = ()


def choose_target(
    config: TrainConfig, embedding: Embedding, info: ModelInfo, dataset: Dataset, template: Template
) -> RunTarget:
    """Return folder and state of this run: those of the run that the embedding comes from, or new ones.

    Raises
    ------
    BadInput
        When that run cannot be continued, being of another model or optimizer.
    """
    identity = Identity(
        run=uuid.uuid4().hex,
        model_name=info.name,
        model_hash=info.hash,
        dataset=dataset.fingerprint,
        template="\n".join(template.lines),
        settings=to_mapping(config),
        images=image_marks(dataset),
        optimizer=optimizer_name(config.vector_norm),
    )
    findings: list[Finding] = []
    asked = ""
    if earlier := continued_run(config, embedding):
        folder, state = earlier
        refusals, changes = compare(state.identity, identity)
        if refusals:
            raise BadInput(refusals)
        if state.ended and state.step >= config.max_steps:
            raise BadInput(
                f"Embedding {quoted(config.name)} has been trained for {counted(state.step, 'step')} already, of which "
                f"step {embedding.step} was the best, and Max steps is {config.max_steps}: raise Max steps to continue."
            )
        if not is_other_data(state.identity, dataset):
            seed = state.preview_seed if config.preview_seed < 0 else config.preview_seed
            identity = replace(identity, run=state.identity.run)
            norms = state.initial_norms or initial_norms(embedding.with_vectors(state.vectors, step=state.step))
            continued = replace(state, identity=identity, preview_seed=seed, initial_norms=norms)
            return RunTarget(folder, continued, tuple(Finding("warning", change) for change in changes))
        asked = _question(config, embedding, earlier)
        said = f"A new run begins with these vectors, on other images; the run so far stays in {folder.path}."
        findings.append(Finding("info", said))
    elif embedding.step:
        steps = counted(embedding.step, "step")
        findings.append(
            Finding("info", f"There is no state of the first {steps}: a new run begins with these vectors.")
        )
    if embedding.step and embedding.model_hash not in ("", info.hash):
        findings.append(
            Finding(
                "warning",
                f"So far it was trained on {embedding.model_name} [{embedding.model_hash}]; this run continues with "
                f"{info.name} [{info.hash}].",
            )
        )
    logs = Path(config.log_directory)
    unfinished = unfinished_runs(logs, embedding.name, embedding.step)
    findings += (
        Finding("info", f"A run ended before its first save: its folder {run.path} is set aside, and a new run begins.")
        for run in unfinished
    )
    folder = new_run(logs, embedding.name, datetime.date.today(), unfinished=unfinished)
    return RunTarget(folder, _fresh(identity, embedding, config), tuple(findings), asked, tuple(unfinished))


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
        initial_norms=initial_norms(embedding),
    )


def continued_run(config: TrainConfig, embedding: Embedding) -> tuple[RunFolder, RunState] | None:
    """Return the run that wrote the embedding, where it can be continued."""
    found = find_run(Path(config.log_directory), embedding.name, str(embedding.recipe.get("run", "")))
    return found if found and continues(embedding, found[1]) else None


def image_marks(dataset: Dataset) -> tuple[str, ...]:
    """Return what identifies the images of a dataset by their contents."""
    return tuple(sorted(item.digest[:12] for item in dataset.all_items))


def is_other_data(former: Identity, dataset: Dataset) -> bool:
    """Whether the dataset is another one than that of the run so far, rather than the same one, edited.

    Files are compared by content. With images added, removed or renamed, or with other captions, sizes or masks, it is
    the same dataset. It is another one when the two share fewer than half of the images of the smaller one. States of
    earlier versions do not know their images: there it is another one when the folder is another and anything differs.
    """
    if former.dataset == dataset.fingerprint:
        return False
    if not former.images:
        return Path(str(former.settings.get("dataset", ""))).absolute() != dataset.folder.absolute()
    images = image_marks(dataset)
    return 2 * len({*former.images} & {*images}) < min(len(former.images), len(images))


def _question(config: TrainConfig, embedding: Embedding, earlier: tuple[RunFolder, RunState]) -> str:
    """Return what to ask before the embedding is trained on another dataset than so far."""
    folder, state = earlier
    former = quoted(str(state.identity.settings.get("dataset", "")))
    return (
        f"{embedding.name} was trained for {counted(state.step, 'step')} on other images ({former}) than those in "
        f"{quoted(config.dataset)}. To continue on these, press “Train on the new images” (on the command line, add "
        "--new-data): a run in a folder of its own then starts from the present vectors, and nothing in "
        f"{folder.path} is replaced. Or choose the former Dataset directory."
    )


def continues(embedding: Embedding, state: RunState) -> bool:
    """Whether the file in the embeddings folder is the one that this run left there.

    A killed run leaves the file of its last save, or already that of the save it did not finish. An earlier step is a
    checkpoint that the user put there, to continue from that step.
    """
    if embedding.step == state.step:
        return all(tensor.equal(state.vectors[key]) for key, tensor in embedding.vectors.items())
    return embedding.step > state.step or embedding.step == state.published
