"""The self-test before the first step: whether a small step of this model computes what training needs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.host.model import Model
from lib_ti.training.checks.attention import AS_SET, AttentionKernel, attention_by, kernels
from lib_ti.training.step.trial import Trial, take_trial_step
from lib_ti.wording import counted, number

_SIDE = 8 * VAE_SCALE_FACTOR
"""Image side in pixels of the trial steps: the smallest that every UNet can halve three times."""
Tolerances = tuple[float, float]
"""Relative differences of predictions and gradients that rounding explains."""
ATTENTION_TOLERANCES: Tolerances = (0.05, 0.3)
OPTIMIZATION_TOLERANCES: Tolerances = (0.05, 0.1)
"""Compiled on a CPU by torch 2.13, a small UNet predicted rightly, and its gradients were wrong by 19 %."""
_UPDATE = "Update PyTorch and the graphics driver"
_ADVICE = "choose another Precision; the WebUI can be started with --no-half"


@dataclass(frozen=True)
class SelfTest:
    """What a trial step showed.

    Parameters
    ----------
    problems
        What keeps the embedding from learning on this model, one sentence each.
    attention
        The first kernel whose results are right.
    remark
        A sentence on why that is not the fastest one; empty where it is.
    """

    problems: tuple[str, ...] = ()
    attention: AttentionKernel = AS_SET
    remark: str = ""


def small_trial(model: Model, embedding: Embedding, prompt: str) -> Trial:
    """Take a trial step on one small image."""
    return take_trial_step(model, embedding, [prompt], (_SIDE, _SIDE))


def self_test(model: Model, embedding: Embedding, prompt: str) -> SelfTest:
    """Take trial steps with attention computed exactly, and by each kernel until one agrees.

    Parameters
    ----------
    prompt
        One that the training will use, with the embedding's name in it.
    """

    def trial() -> Trial:
        return small_trial(model, embedding, prompt)

    with _PlainAttention() as plain:
        expected = trial()
    problems = [*_gradient_problems(expected), *_frozen_problems(expected)]
    if problems or not plain.used:
        return SelfTest(tuple(problems))
    wrong = ""
    for kernel in kernels(model.device):
        with attention_by(kernel):
            far = difference(trial(), expected, ATTENTION_TOLERANCES)
        if not far:
            return SelfTest((), kernel, _remark(kernel, wrong) if wrong else "")
        wrong = wrong or far
    return SelfTest((f"The attention computed here is wrong: {wrong}. {_UPDATE}, or {_ADVICE}.",))


def _remark(kernel: AttentionKernel, wrong: str) -> str:
    return f"Attention is computed by {kernel.name}, since by {AS_SET.name} {wrong}. {_UPDATE} to train faster."


def _gradient_problems(trial: Trial) -> list[str]:
    rows = {key: gradient.norm(dim=1).tolist() for key, gradient in trial.gradients.items()}
    norms = [norm for of_encoder in rows.values() for norm in of_encoder]
    whole = math.sqrt(sum(norm * norm for norm in norms))
    if not 0 < whole < math.inf:
        return [f"A trial step gave the gradient {number(whole)}, from which nothing can be learned: {_ADVICE}."]
    missing = {key: norms.count(0) for key, norms in rows.items() if 0 in norms}
    return [
        f"In a trial step {counted(count, 'vector')} of {key} had the gradient 0 and would not learn: {_ADVICE}."
        for key, count in missing.items()
    ]


def _frozen_problems(trial: Trial) -> list[str]:
    if not trial.strangers:
        return []
    weights = f"{counted(len(trial.strangers), 'weight')} of it ({trial.strangers[0]})"
    advice = "turn off extensions that change the model, and load the checkpoint again"
    return [f"The model is not frozen, a step computes gradients of {weights}: {advice}."]


def difference(trial: Trial, expected: Trial, tolerances: Tolerances) -> str:
    """Return how far a trial is from the expected one, in words; empty where that is within the tolerances."""
    if not math.isfinite(_length(trial.gradients.values())):
        return "the gradient is NaN or infinite"
    if any((gradient.norm(dim=1) == 0).any() for gradient in trial.gradients.values()):
        return "the gradient is 0"
    gradients = list(trial.gradients.values()), list(expected.gradients.values())
    differences = {
        "predictions": (_difference([trial.predicted], [expected.predicted]), tolerances[0]),
        "gradients": (_difference(*gradients), tolerances[1]),
    }
    far = [
        f"its {what} differ by {found:.0%} from exactly computed ones"
        for what, (found, tolerance) in differences.items()
        if not found <= tolerance
    ]
    return far[0] if far else ""


def _length(tensors: Iterable[Tensor]) -> float:
    return math.sqrt(sum(float(one.square().sum()) for one in tensors))


def _difference(found: list[Tensor], expected: list[Tensor]) -> float:
    """Return the length of the difference in units of the expected one's."""
    return _length(one - other for one, other in zip(found, expected, strict=True)) / _length(expected)


class _PlainAttention(TorchFunctionMode):
    """Computes attention by its definition in float32, instead of by one of PyTorch's fused kernels."""

    used = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.scaled_dot_product_attention:
            self.used = True
            return _plain_attention(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _plain_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,  # noqa: ARG001  # as PyTorch's; never used in evaluation
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    scores = query.float() @ key.float().transpose(-2, -1) * (scale or query.shape[-1] ** -0.5)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -math.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return (scores.softmax(-1) @ value.float()).to(query.dtype)
