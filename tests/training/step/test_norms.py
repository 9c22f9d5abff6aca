"""Vectors keep their norms, and a step turns them as far as the learning rate says."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.training.step.norms import INITIAL_NORMS, initial_norms, recorded_norms, target_norms
from lib_ti.training.step.optimizers import build_optimizer
from tests.fakes import FakeModel

YES, NO = torch.tensor(True), torch.tensor(False)
INFO = replace(FakeModel().info, widths={"clip_l": 16}, word_norm={"clip_l": 0.4})


def vectors(count: int = 3) -> torch.Tensor:
    return torch.randn(count, 16, generator=torch.Generator().manual_seed(1)) * torch.arange(1, count + 1)[:, None]


def random_gradients(steps: int, count: int = 3) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(2)
    return [torch.randn(count, 16, generator=rng) for _ in range(steps)]


@pytest.mark.parametrize("how", ["fixed", "direction"])
def test_norms_are_kept(how: str) -> None:
    kept, free = vectors(), vectors()
    norms = kept.norm(dim=1)
    controlled = build_optimizer({"clip_l": kept}, {"clip_l": norms}, vector_norm=how, weight_decay=0)
    usual = build_optimizer({"clip_l": free}, {"clip_l": norms}, vector_norm="free", weight_decay=0)
    for gradient in random_gradients(30):
        assert controlled.step({"clip_l": gradient}, 0.3, YES)
        usual.step({"clip_l": gradient}, 0.3, YES)
    torch.testing.assert_close(kept.norm(dim=1), norms)
    assert (free.norm(dim=1) > 1.05 * norms).any()
    assert torch.nn.functional.cosine_similarity(kept, vectors()).max() < 0.99


def test_fixed_norms_are_a_step_of_adamw_that_is_scaled_back() -> None:
    kept, free = vectors(), vectors()
    targets = {"clip_l": torch.tensor([1.0, 2.0, 3.0])}
    (gradient,) = random_gradients(1)
    for tensor, how in ((kept, "fixed"), (free, "free")):
        build_optimizer({"clip_l": tensor}, targets, vector_norm=how, weight_decay=0).step(
            {"clip_l": gradient}, 0.1, YES
        )
    torch.testing.assert_close(kept, torch.nn.functional.normalize(free) * targets["clip_l"][:, None])


def test_a_step_turns_by_the_angle_of_the_learning_rate() -> None:
    start = vectors()
    turned = start.clone()
    norms = start.norm(dim=1)
    optimizer = build_optimizer({"clip_l": turned}, {"clip_l": norms}, vector_norm="direction", weight_decay=0)
    (gradient,) = random_gradients(1)
    optimizer.step({"clip_l": gradient * 1e-12}, 0.05, YES)  # however small the gradient is
    angles = torch.nn.functional.cosine_similarity(turned, start).acos()
    torch.testing.assert_close(angles, 0.05 * 4 / norms, rtol=1e-3, atol=1e-4)
    assert ((turned - start) * gradient).sum(dim=1).max() < 0


@pytest.mark.parametrize("how", ["fixed", "direction"])
def test_a_refused_step_changes_no_vector(how: str) -> None:
    start = vectors()
    tensor = start.clone()
    optimizer = build_optimizer({"clip_l": tensor}, {"clip_l": torch.ones(3)}, vector_norm=how, weight_decay=0)
    before = {key: value.clone() for key, value in optimizer.state().items()}
    assert not optimizer.step({"clip_l": torch.full((3, 16), math.inf)}, 0.1, NO)
    assert not optimizer.step({"clip_l": torch.full((3, 16), math.nan)}, 0.1, YES)
    assert tensor.equal(start)
    assert all(value.equal(before[key]) for key, value in optimizer.state().items())


@pytest.mark.parametrize("how", ["fixed", "direction"])
def test_vectors_of_zeros_get_the_norm_of_a_word(how: str) -> None:
    tensor = torch.cat([torch.zeros(1, 16), torch.full((1, 16), 1e-4), torch.full((1, 16), 0.2)])
    targets = target_norms({"clip_l": tensor.norm(dim=1)}, INFO)
    torch.testing.assert_close(targets["clip_l"], torch.tensor([0.4, 0.4, 0.8]))
    optimizer = build_optimizer({"clip_l": tensor}, targets, vector_norm=how, weight_decay=0)
    (gradient,) = random_gradients(1)
    optimizer.step({"clip_l": gradient}, 0.01, YES)
    torch.testing.assert_close(tensor.norm(dim=1), targets["clip_l"])
    assert (tensor[0] * gradient[0]).sum() < 0


def test_a_vector_without_a_gradient_stays() -> None:
    tensor = vectors()
    start = tensor.clone()
    norms = {"clip_l": start.norm(dim=1)}
    build_optimizer({"clip_l": tensor}, norms, vector_norm="direction", weight_decay=0).step(
        {"clip_l": torch.zeros(3, 16)}, 0.1, YES
    )
    assert torch.nn.functional.cosine_similarity(tensor, start).min() > 0.9999


def test_a_high_learning_rate_turns_by_a_right_angle_at_most() -> None:
    tensor = vectors(1)
    start = tensor.clone()
    optimizer = build_optimizer(
        {"clip_l": tensor}, {"clip_l": start.norm(dim=1)}, vector_norm="direction", weight_decay=0
    )
    optimizer.step({"clip_l": random_gradients(1, 1)[0]}, 1e9, YES)
    assert torch.nn.functional.cosine_similarity(tensor, start).abs().item() < 1e-3


@pytest.mark.parametrize(
    "recorded",
    [None, 3, {}, {"clip_l": [1.0]}, {"clip_l": [1.0, "x"]}, {"clip_l": [1.0, math.nan]}, {"clip_g": [1, 2]}],
)
def test_norms_that_a_file_does_not_record_are_the_present_ones(recorded: object) -> None:
    embedding = Embedding("my-style", {"clip_l": torch.full((2, 4), 0.5)}, recipe={INITIAL_NORMS: recorded})
    assert recorded_norms(embedding) is None
    assert initial_norms(embedding)["clip_l"].tolist() == [1.0, 1.0]


def test_norms_that_a_file_records_are_the_initial_ones() -> None:
    embedding = Embedding("my-style", {"clip_l": torch.ones(2, 4)}, recipe={INITIAL_NORMS: {"clip_l": [0.5, 0.25]}})
    assert initial_norms(embedding)["clip_l"].tolist() == [0.5, 0.25]


@pytest.mark.parametrize("how", ["free", "fixed", "direction"])
def test_each_encoder_has_its_own_learning_rate(how: str) -> None:
    start = vectors()
    plain, scaled, alone = start.clone(), start.clone(), start.clone()
    norms = {"clip_l": start.norm(dim=1), "clip_g": start.norm(dim=1)}
    (gradient,) = random_gradients(1)
    both = build_optimizer(
        {"clip_l": plain, "clip_g": scaled}, norms, vector_norm=how, weight_decay=0, scales={"clip_l": 1, "clip_g": 2}
    )
    both.step({"clip_l": gradient, "clip_g": gradient}, 0.02, YES)
    build_optimizer({"clip_l": alone}, norms, vector_norm=how, weight_decay=0).step({"clip_l": gradient}, 0.04, YES)
    assert scaled.equal(alone)
    assert not plain.equal(alone)
