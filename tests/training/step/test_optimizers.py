"""The optimizer equals PyTorch's; scaling, clipping and skipping do what they say."""

import math

import pytest
import torch

from lib_ti.training.step.gradients import all_finite, clip
from lib_ti.training.step.loss_scale import LossScale
from lib_ti.training.step.optimizers import AdamW

YES, NO = torch.tensor(True), torch.tensor(False)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_equals_adamw_of_pytorch(weight_decay: float) -> None:
    rng = torch.Generator().manual_seed(0)
    start = torch.randn(3, 5, generator=rng)
    ours, theirs = start.clone(), torch.nn.Parameter(start.clone())
    optimizer = AdamW({"clip_l": ours}, weight_decay=weight_decay)
    reference = torch.optim.AdamW([theirs], lr=0.1, weight_decay=weight_decay)
    for step in range(50):
        gradient = torch.randn(3, 5, generator=rng)
        rate = 0.1 / (1 + step)
        for group in reference.param_groups:
            group["lr"] = rate
        theirs.grad = gradient.clone()
        reference.step()
        optimizer.step({"clip_l": gradient}, rate, YES)
    torch.testing.assert_close(ours, theirs.detach())


def test_a_refused_step_leaves_no_trace() -> None:
    vector = torch.ones(2, 3)
    optimizer = AdamW({"clip_l": vector})
    optimizer.step({"clip_l": torch.ones(2, 3)}, 0.1, YES)
    before = vector.clone(), {key: tensor.clone() for key, tensor in optimizer.state().items()}
    moved = optimizer.step({"clip_l": torch.full((2, 3), math.nan)}, 0.1, NO)
    assert not moved
    assert vector.equal(before[0])
    assert all(tensor.equal(before[1][key]) for key, tensor in optimizer.state().items())


def test_vectors_never_become_infinite() -> None:
    vector = torch.full((1, 2), 3e38)
    moved = AdamW({"clip_l": vector}).step({"clip_l": -torch.ones(1, 2)}, 1e38, YES)
    assert not moved
    assert vector.isfinite().all()


def test_state_goes_on_exactly() -> None:
    gradients = [torch.randn(2, 2, generator=torch.Generator().manual_seed(n)) for n in range(6)]
    whole = torch.zeros(2, 2)
    optimizer = AdamW({"clip_l": whole})
    for gradient in gradients:
        optimizer.step({"clip_l": gradient}, 0.01, YES)
    parted = torch.zeros(2, 2)
    first = AdamW({"clip_l": parted})
    for gradient in gradients[:3]:
        first.step({"clip_l": gradient}, 0.01, YES)
    second = AdamW({"clip_l": parted})
    second.load({key: tensor.clone() for key, tensor in first.state().items()})
    for gradient in gradients[3:]:
        second.step({"clip_l": gradient}, 0.01, YES)
    assert parted.equal(whole)


def test_clipping() -> None:
    gradients = {"clip_l": torch.tensor([[3.0, 4.0]]), "clip_g": torch.tensor([[0.0, 12.0]])}
    by_norm = clip(gradients, "norm", 1.3)
    assert torch.cat([by_norm["clip_l"], by_norm["clip_g"]]).norm().item() == pytest.approx(1.3, rel=1e-4)
    assert clip(gradients, "norm", 100.0)["clip_l"].equal(gradients["clip_l"])
    assert clip(gradients, "value", 3.5)["clip_l"].tolist() == [[3.0, 3.5]]
    assert clip(gradients, "disabled", 0.1)["clip_g"].equal(gradients["clip_g"])


def test_loss_scale_halves_on_overflow_and_grows_after_good_steps() -> None:
    scale = LossScale(enabled=True, device=torch.device("cpu"))
    start = float(scale.value)
    scale.update(NO)
    assert float(scale.value) == start / 2
    for _ in range(2000):
        scale.update(YES)
    assert float(scale.value) == start
    off = LossScale(enabled=False, device=torch.device("cpu"))
    off.update(NO)
    assert float(off.value) == 1.0


def test_all_finite() -> None:
    assert all_finite(torch.ones(2), torch.zeros(3))
    assert not all_finite(torch.ones(2), torch.tensor([1.0, math.inf]))
