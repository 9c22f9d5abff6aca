"""The check before a run: every finding of its plan, and a trial step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from lib_ti.config import TrainConfig
from lib_ti.errors import Busy, UserError
from lib_ti.host.base import Host, Precision, SessionOptions
from lib_ti.host.model import Optimization
from lib_ti.training import first_step
from lib_ti.training.checks.attention import attention_by
from lib_ti.training.checks.findings import Finding, findings, worst_first
from lib_ti.training.run_plan import Progress, RunPlan, prepare_run
from lib_ti.training.suggest.contradiction import compare_initial_text

_UNTRIED = (
    "The model was not loaded for this check: that would unload the one that images are generated with. The run tries "
    "a step, and how much memory it needs, before its first."
)


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
    trial = host.models.checks_by_trial
    options = SessionOptions(cast("Precision", config.precision), wait=False, describe_only=not trial)
    found: list[Finding] = []
    try:
        with prepare_run(host, config, options, progress=progress) as prepared:
            found = prepared.findings
            target = prepared.plan.target if prepared.plan else None
            if target and target.question:
                found += target.findings if new_data else [Finding("warning", target.question)]
            if prepared.plan and not prepared.refusals:
                found += _try_step(prepared.plan, config) if trial else [Finding("info", _UNTRIED)]
    except Busy:
        raise
    except UserError as error:
        found.append(Finding("error", str(error)))
    return worst_first(found)


def _try_step(plan: RunPlan, config: TrainConfig) -> Iterator[Finding]:
    """Check by trial whether a step can teach anything and fits into memory, and whether the initial text does harm."""
    tested = first_step.test_step(plan)
    yield from findings("error", tested.problems)
    yield from findings("warning", [tested.remark] if tested.remark else [])
    with attention_by(tested.attention):
        remark = first_step.optimize(plan, cast("Optimization", config.optimization))
        yield from findings("warning", [remark] if remark else [])
        about_memory = list(first_step.choose_memory(plan, config).findings())
        yield from about_memory
        if not any(finding.kind == "error" for finding in about_memory):
            embedding, template = plan.inputs.embedding, plan.inputs.template
            yield from compare_initial_text(plan.model, embedding, plan.dataset, template, seed=config.seed)
