"""The check before a run: every finding of its plan, and a trial step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

from lib_ti.config import TrainConfig
from lib_ti.errors import Busy, UserError
from lib_ti.host.base import Host, Precision, SessionOptions
from lib_ti.training.checks.findings import Finding, worst_first
from lib_ti.training.checks.trial import free_memory, try_steps
from lib_ti.training.run_plan import Progress, RunPlan, prepare_run
from lib_ti.training.step.batch_source import plain_prompts
from lib_ti.wording import file_size, number


def check_run(
    host: Host, config: TrainConfig, *, new_data: bool = False, progress: Progress | None = None
) -> list[Finding]:
    """Return everything that speaks for or against a run with these settings, the worst first; nothing is written.

    Parameters
    ----------
    new_data
        The user agreed to continue on another dataset.
    progress
        Of reading the images.

    Raises
    ------
    Busy
        When the model is used by something else.
    """
    options = SessionOptions(cast("Precision", config.precision), config.gradient_checkpointing, wait=False)
    found: list[Finding] = []
    try:
        with prepare_run(host, config, options, progress=progress) as prepared:
            found = prepared.findings
            target = prepared.plan.target if prepared.plan else None
            if target and target.question:
                found += target.findings if new_data else [Finding("warning", target.question)]
            if prepared.plan and not prepared.refusals:
                found += _try_step(prepared.plan, config)
    except Busy:
        raise
    except UserError as error:
        found.append(Finding("error", str(error)))
    return worst_first(found)


def _try_step(plan: RunPlan, config: TrainConfig) -> Iterator[Finding]:
    """Check by trial whether a step can teach anything, and whether it fits into memory."""
    embedding, model, items = plan.inputs.embedding, plan.model, plan.dataset.items
    prompt = plain_prompts(items[:1], plan.inputs.template.lines[:1], embedding.name)[0]
    size = max((item.size for item in items), key=lambda size: size[0] * size[1])
    tried = try_steps(model, embedding, prompt, size=size, batch_size=min(config.batch_size, len(items)))
    if not 0 < tried.gradient < math.inf:
        said = f"A trial step gave the gradient {number(tried.gradient)}, from which nothing can be learned"
        yield Finding("error", f"{said}: choose another Precision; the WebUI can be started with --no-half.")
    free = free_memory(model.device)
    said = f"A step needs about {file_size(tried.memory)} of memory beside the model"
    if free is None:
        yield Finding("info", f"{said}.")
    elif tried.memory > free:
        advice = "turn on Gradient checkpointing, or lower Batch size or Width and Height"
        yield Finding("warning", f"{said}, and {file_size(free)} are free on {model.device}: {advice}.")
    else:
        yield Finding("good", f"{said}, and {file_size(free)} are free on {model.device}.")
