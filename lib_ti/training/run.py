"""A whole run: from settings and a host to an embedding in its folder. The composition root of this package."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import cast

from lib_ti.config import TrainConfig
from lib_ti.data import latents
from lib_ti.data.dataset import Dataset, NothingReadable
from lib_ti.data.folder import Skipped
from lib_ti.data.latents import Latents
from lib_ti.embedding import library
from lib_ti.errors import BadInput, NeedsConsent, TrainingFailed, out_of_memory
from lib_ti.host.base import Host, Precision, SessionOptions
from lib_ti.host.model import Optimization
from lib_ti.signals import Control, FileSkipped, Listener, LogMessage, Progress, RunFinished
from lib_ti.storage import in_use
from lib_ti.training import first_step
from lib_ti.training.checks.attention import AttentionKernel, attention_by
from lib_ti.training.files.run_logger import RunLogger
from lib_ti.training.memory.sets import MemorySet
from lib_ti.training.run_plan import Preparation, RunPlan, prepare_run
from lib_ti.training.session import RunSession
from lib_ti.training.stopping import stop_requested
from lib_ti.training.suggest.contradiction import compare_initial_text

logger = logging.getLogger(__name__)

ENCODE_BATCH = 4
"""Images that the autoencoder encodes at once: more fills the memory of small cards and is hardly faster."""


def train(
    host: Host, config: TrainConfig, listen: Listener, control: Control, *, new_data: bool = False
) -> RunFinished:
    """Train an embedding of the host's embeddings folder, or continue where its run stopped.

    Parameters
    ----------
    new_data
        Continue an embedding with another dataset than so far, in a run folder of its own.

    Raises
    ------
    NeedsConsent
        When the dataset is another one than so far, and ``new_data`` is false.
    BadInput
        Everything that is wrong with settings, images, template, model or state, before anything is written.
    TrainingFailed
        When the loss stays undefined; what was reached until the last good step is saved.
    CannotWrite
        When a file cannot be written. Every file is whole, and the run can be continued from its last state.
    """
    log = RunLogger(host.models, listen)
    try:
        return _train(host, config, log, control, new_data=new_data)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise TrainingFailed(
            "Out of memory before the first step: lower Width and Height, close other programs that use the graphics "
            "card, or set Gradient checkpointing to auto."
        ) from error


def _train(host: Host, config: TrainConfig, log: RunLogger, control: Control, *, new_data: bool) -> RunFinished:
    options = SessionOptions(
        cast("Precision", config.precision),
        report=lambda text: log(LogMessage(text)),
        stop=lambda: control.stop_requested,
    )
    with ExitStack() as stack:
        prepared = stack.enter_context(
            prepare_run(
                host,
                config,
                options,
                hold=lambda path: in_use.held(library.target(path), in_use.TRAINED),
                progress=lambda done, total: log(Progress("Reading images", done, total)),
            )
        )
        plan = _agreed(prepared, config, log, new_data=new_data)
        stack.enter_context(in_use.held(plan.target.folder.target, in_use.TRAINED))
        stack.enter_context(attention_by(_tested_attention(plan, log)))
        if remark := first_step.optimize(plan, cast("Optimization", config.optimization)):
            log(LogMessage(remark, warning=True))
        memory = _chosen_memory(plan, config, log)
        dataset, encoded = _encode(host, config, plan, log, control)
        _log_contradiction(plan, dataset, encoded, config, log)
        return RunSession(host, plan.config, plan, log, control, memory).run(dataset, encoded)


def _agreed(prepared: Preparation, config: TrainConfig, log: RunLogger, *, new_data: bool) -> RunPlan:
    """Return the plan after logging what is found; raise :class:`BadInput` where the run cannot start."""
    for error in prepared.refusals:
        if isinstance(error, NothingReadable):
            # There is no run.log, since no run starts.
            logger.warning("No image of %s can be used:\n%s", config.dataset, "\n".join(map(str, error.skipped)))
            _log_skipped(error.skipped, log)
    plan = prepared.require()
    target = plan.target
    if target.question and not new_data:
        raise NeedsConsent(target.question)
    _log_skipped(plan.dataset.skipped, log)
    for sentence in (*plan.dataset.describe(), *plan.dataset.notes):
        log(LogMessage(sentence))
    for finding in (*prepared.findings, *(target.findings if target.question else ())):
        if finding.kind != "good" and not finding.about_images:
            log(LogMessage(finding.text, warning=finding.kind == "warning"))
    return plan


def _tested_attention(plan: RunPlan, log: RunLogger) -> AttentionKernel:
    """Return the kernel that computes attention; raise :class:`BadInput` where the run could not learn.

    A resumed run is tested too: it has to compute by the same kernel as before.
    """
    tested = first_step.test_step(plan)
    if tested.problems:
        raise BadInput(tested.problems)
    if tested.remark:
        log(LogMessage(tested.remark, warning=True))
    return tested.attention


def _chosen_memory(plan: RunPlan, config: TrainConfig, log: RunLogger) -> MemorySet | None:
    """Return the memory set of the first step; raise :class:`BadInput` where there is too little memory for any."""
    if plan.model.device.type != "cuda":
        return None
    choice = first_step.choose_memory(plan, config)
    for finding in choice.findings():
        if finding.kind == "error":
            raise BadInput(finding.text)
        log(LogMessage(finding.text, warning=finding.kind == "warning"))
    return choice.chosen


def _encode(
    host: Host, config: TrainConfig, plan: RunPlan, log: RunLogger, control: Control
) -> tuple[Dataset, Latents]:
    """Encode the images, and log what was changed since they were read."""
    before = plan.dataset
    dataset, encoded = latents.encode(
        before,
        plan.model,
        cache_folder=Path(config.log_directory) / ".latents" if config.cache_latents else None,
        batch_size=ENCODE_BATCH,
        progress=lambda done, total: log(Progress("Encoding images", done, total)),
        stop=partial(stop_requested, host.models, control),
    )
    for one in dataset.skipped[len(before.skipped) :]:
        log(LogMessage(f"{one.shown} is skipped: {one.reason}.", warning=True))
    for sentence in dataset.notes:
        if sentence not in before.notes:
            log(LogMessage(sentence, warning=True))
    return dataset, encoded


def _log_contradiction(plan: RunPlan, dataset: Dataset, encoded: Latents, config: TrainConfig, log: RunLogger) -> None:
    """Log once, as the run begins, that the embedding starts from a text which contradicts the images."""
    inputs = plan.inputs
    if plan.target.state.step:
        return
    for finding in compare_initial_text(
        plan.model, inputs.embedding, dataset, inputs.template, seed=config.seed, encoded=encoded
    ):
        log(LogMessage(finding.text, warning=finding.kind == "warning"))


def _log_skipped(skipped: Iterable[Skipped], log: RunLogger) -> None:
    for one in skipped:
        log(FileSkipped(one.shown, one.reason))
