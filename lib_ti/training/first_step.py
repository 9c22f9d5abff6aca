"""Everything that is tried before the first step, on the model and images of a plan."""

from __future__ import annotations

from lib_ti.config import TrainConfig
from lib_ti.host.model import Optimization
from lib_ti.training.checks.self_test import OPTIMIZATION_TOLERANCES, SelfTest, difference, self_test, small_trial
from lib_ti.training.memory.choice import MemoryChoice, choose
from lib_ti.training.run_plan import RunPlan
from lib_ti.training.step.batch_source import plain_prompts


def test_step(plan: RunPlan) -> SelfTest:
    """Try what a step computes, see :func:`lib_ti.training.checks.self_test.self_test`."""
    return self_test(plan.model, plan.inputs.embedding, _prompt(plan))


def optimize(plan: RunPlan, how: Optimization) -> str:
    """Run the UNet in that way where a trial step agrees with one without it; else return a sentence on why not."""
    if how == "off":
        return ""
    model, embedding, prompt = plan.model, plan.inputs.embedding, _prompt(plan)
    expected = small_trial(model, embedding, prompt)
    if remark := model.optimize(how):
        return remark
    try:
        found = small_trial(model, embedding, prompt)
        wrong = difference(found, expected, OPTIMIZATION_TOLERANCES)
    except Exception as error:  # noqa: BLE001 - compilers fail in many ways, and training does not need them
        wrong = " ".join(str(error).split())[:200] or type(error).__name__
    if wrong:
        model.optimize("off")
        return f"UNet optimization {how} cannot be used here ({wrong}); training runs without it."
    return ""


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
