"""The phases that check and train."""

from __future__ import annotations

from pathlib import Path

from lib_ti.config import TrainConfig, from_mapping
from lib_ti.embedding import files, library
from lib_ti.errors import BadInput, Stopped
from lib_ti.make_it.images import TEMPLATE
from lib_ti.make_it.making import STOPPED, Making, Outcome
from lib_ti.training.check import check_run
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.files.run_state import RunState
from lib_ti.training.resume import continued_run
from lib_ti.training.run import train
from lib_ti.training.validation.history import read_history
from lib_ti.training.validation.verdict import judge

RUN, STEP = "run", "step"
"""Facts: folder of the run, and step of the embedding at its end."""
VERDICT, LEARNED = "verdict", "learned"
"""Facts: sentences of the verdict, and whether the keyword has begun to learn, as far as that was measured."""
_EVERY = 25
"""Steps between previews, and between checkpoints: a preset's run is short."""


def settings(making: Making) -> TrainConfig:
    """Return the settings of the run: the preset's, the end when it is done, and the best step restored."""
    config = making.config
    values = {
        "name": config.keyword,
        "preset": config.kind,
        "dataset": str(making.folder.path),
        "template": making.state.facts[TEMPLATE],
        "max_steps": config.max_steps,
        "save_image_every": _EVERY,
        "save_embedding_every": _EVERY,
        "stop_when_done": True,
        "restore_best": True,
        "log_directory": config.log_directory,
    }
    return from_mapping(TrainConfig, values, source="Make it")


def check(making: Making) -> Outcome:
    """Check the run before it begins; nothing is checked once it has begun."""
    config = settings(making)
    if _begun(making, config):
        return Outcome(("The run has begun already.",))
    progress = making.progress("Reading images")
    found = making.when_free(lambda: check_run(making.host, config, progress=progress))
    if errors := [finding.text for finding in found if finding.kind == "error"]:
        raise BadInput(errors)
    warnings = tuple(finding.text for finding in found if finding.kind == "warning")
    return Outcome(warnings or ("Check found no problems.",))


def run(making: Making) -> Outcome:
    """Train, or continue where the run was interrupted."""
    config = settings(making)
    begun = _begun(making, config)
    if begun and begun[1].ended:  # ended, and killed before that was noted
        return _outcome(making, begun[0], "")
    finished = train(making.host, config, making.listen, making.control)
    if finished.reason != "done":
        raise Stopped(f"The run was stopped after step {finished.step}. {STOPPED}")
    return _outcome(making, RunFolder(finished.folder, config.name), finished.remark)


def _begun(making: Making, config: TrainConfig) -> tuple[RunFolder, RunState] | None:
    path = library.find(making.host.folders.embeddings, config.name)
    return continued_run(config, files.load(path))


def _outcome(making: Making, folder: RunFolder, remark: str) -> Outcome:
    path: Path = library.find(making.host.folders.embeddings, making.config.keyword)
    verdict = judge(read_history(folder.evaluations))
    said = [f"{verdict.headline}." if verdict and verdict.headline else "", verdict.reason if verdict else "", remark]
    sentences = tuple(dict.fromkeys(filter(None, said)))
    facts = {
        RUN: str(folder.path.absolute()),
        STEP: files.load(path).step,
        VERDICT: list(sentences),
        LEARNED: verdict is None or verdict.state != "not begun",
    }
    return Outcome((*sentences, f"The embedding is {path}."), facts)
