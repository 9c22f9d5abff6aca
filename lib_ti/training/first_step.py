"""Everything that is tried before the first step, on the model and images of a plan."""

from __future__ import annotations

from lib_ti.config import TrainConfig
from lib_ti.training.checks.self_test import SelfTest, self_test
from lib_ti.training.memory.choice import MemoryChoice, choose
from lib_ti.training.run_plan import RunPlan
from lib_ti.training.step.batch_source import plain_prompts


def test_step(plan: RunPlan) -> SelfTest:
    """Try what a step computes, see :func:`lib_ti.training.checks.self_test.self_test`."""
    return self_test(plan.model, plan.inputs.embedding, _prompt(plan))


def choose_memory(plan: RunPlan, config: TrainConfig) -> MemoryChoice:
    """Return the memory set for the largest images of the run, see :func:`lib_ti.training.memory.choice.choose`."""
    items = plan.dataset.items
    return choose(
        plan.model,
        plan.inputs.embedding,
        _prompt(plan),
        size=max((item.size for item in items), key=lambda size: size[0] * size[1]),
        batch_size=min(config.batch_size, len(items)),
        wanted=config.gradient_checkpointing,
    )


def _prompt(plan: RunPlan) -> str:
    """Return a prompt of the run."""
    inputs = plan.inputs
    return plain_prompts(plan.dataset.items[:1], inputs.template.lines[:1], inputs.embedding.name)[0]
