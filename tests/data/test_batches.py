from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from lib_ti.data.batches import BatchPlan, PromptRules
from lib_ti.data.dataset import Item

SQUARE, WIDE, TALL = (64, 64), (96, 64), (64, 96)


def made(*sizes: tuple[int, int]) -> list[Item]:
    return [
        Item(Path(f"{index}.png"), f"{index}.png", f"picture {index}, tag", "file", size, size, f"digest {index}")
        for index, size in enumerate(sizes)
    ]


MIXED = made(*[SQUARE] * 7, *[WIDE] * 3, *[TALL] * 2, (32, 32))


@pytest.mark.parametrize("batch_size", [1, 2, 3, 4, 8])
def test_each_epoch_uses_every_image_in_batches_of_one_size(batch_size: int) -> None:
    plan = BatchPlan(MIXED, batch_size=batch_size, seed=3)
    for epoch in range(5):
        start = epoch * plan.batches_per_epoch
        batches = [plan.batch(start + position) for position in range(plan.batches_per_epoch)]
        assert {index for batch in batches for index in batch.items} == set(range(len(MIXED)))
        for position, batch in enumerate(batches):
            sizes = {MIXED[index].size for index in batch.items}
            assert len(sizes) == 1
            of_that_size = sum(item.size in sizes for item in MIXED)
            assert len(batch.items) == min(batch_size, of_that_size)
            assert len(set(batch.items)) == len(batch.items)
            assert (batch.epoch, batch.position) == (epoch, position)


def test_a_batch_depends_on_seed_and_index_only() -> None:
    forwards = BatchPlan(MIXED, batch_size=2, seed=5)
    in_order = [forwards.batch(index) for index in range(60)]
    anywhere = BatchPlan(MIXED, batch_size=2, seed=5)
    for index in random.Random(0).sample(range(60), 60):
        assert anywhere.batch(index) == in_order[index]
    assert [BatchPlan(MIXED, batch_size=2, seed=6).batch(index) for index in range(60)] != in_order


def test_the_order_is_the_same_on_every_machine_and_in_every_version() -> None:
    plan = BatchPlan(made(*[SQUARE] * 5, *[WIDE] * 3), batch_size=2, seed=1)
    assert [plan.batch(index).items for index in range(5)] == [(3, 0), (2, 3), (7, 5), (4, 1), (5, 6)]
    rules = PromptRules(("a [name]", "b [filewords] [name]", "c [name]"), "ink", shuffle_tags=True)
    assert [plan.prompts(plan.batch(index), rules) for index in range(3)] == [
        ("b tag, picture 3 ink", "c ink"),
        ("c ink", "a ink"),
        ("b tag, picture 7 ink", "c ink"),
    ]


def test_renamed_and_reordered_images_keep_their_order() -> None:
    turned = MIXED[::-1]
    plan, other = BatchPlan(MIXED, batch_size=3, seed=2), BatchPlan(turned, batch_size=3, seed=2)
    rules = PromptRules(("a [name]", "b [filewords] [name]"), "ink", shuffle_tags=True, tag_dropout=0.3)
    for index in range(30):
        one, two = plan.batch(index), other.batch(index)
        assert [MIXED[place].digest for place in one.items] == [turned[place].digest for place in two.items]
        assert plan.prompts(one, rules) == other.prompts(two, rules)


def test_epochs_have_different_orders_and_sample_images_evenly() -> None:
    plan = BatchPlan(made(*[SQUARE] * 6), batch_size=1, seed=0)
    orders = {tuple(plan.batch(epoch * 6 + position).items[0] for position in range(6)) for epoch in range(300)}
    assert len(orders) > 220
    firsts = Counter(plan.batch(epoch * 6).items[0] for epoch in range(600))
    assert all(60 < count < 140 for count in firsts.values())


def test_images_that_fill_up_a_batch_change_from_epoch_to_epoch() -> None:
    plan = BatchPlan(made(*[SQUARE] * 5), batch_size=4, seed=0)
    visits = Counter(index for batch in range(400) for index in plan.batch(batch).items)
    assert max(visits.values()) < 1.1 * min(visits.values())


def test_sizes_are_mixed_within_an_epoch() -> None:
    plan = BatchPlan(made(*[SQUARE] * 20, *[WIDE] * 20), batch_size=1, seed=0)
    first_half = Counter(plan.batch(index).items[0] < 20 for index in range(20))
    assert min(first_half.values()) >= 4


def test_a_template_line_is_resampled_at_each_visit_and_reproducible() -> None:
    items = made(SQUARE)
    plan = BatchPlan(items, batch_size=1, seed=0)
    rules = PromptRules(("a [name]", "b [name]", "c [name], [filewords]"), "ink")
    drawn = [plan.prompts(plan.batch(index), rules) for index in range(300)]
    assert drawn == [plan.prompts(plan.batch(index), rules) for index in range(300)]
    counts = Counter(prompts[0] for prompts in drawn)
    assert set(counts) == {"a ink", "b ink", "c ink, picture 0, tag"}
    assert min(counts.values()) > 70


def test_tags_are_reshuffled_and_redropped_at_each_visit() -> None:
    plan = BatchPlan(made(SQUARE), batch_size=1, seed=0)
    rules = PromptRules(("[name]: [filewords]",), "ink", shuffle_tags=True, tag_dropout=0.5)
    seen = {plan.prompts(plan.batch(index), rules)[0] for index in range(100)}
    assert {"ink: picture 0, tag", "ink: tag, picture 0", "ink: tag", "ink: picture 0"} <= seen


def test_images_of_a_batch_are_sampled_independently() -> None:
    plan = BatchPlan(made(*[SQUARE] * 4), batch_size=4, seed=0)
    rules = PromptRules(("a [name]", "b [name]"), "ink")
    assert any(len(set(plan.prompts(plan.batch(index), rules))) == 2 for index in range(10))


def test_a_batch_costs_less_than_a_tenth_of_a_millisecond() -> None:
    plan = BatchPlan(made(*[SQUARE] * 1000), batch_size=1, seed=0)
    rules = PromptRules(("a [filewords] by [name]", "b [name]"), "ink", shuffle_tags=True, tag_dropout=0.1)
    plan.batch(0)
    fastest = 1.0
    for _ in range(5):  # own time and the best of some, as other programs run beside
        start = time.thread_time()
        for index in range(1, 900):
            plan.prompts(plan.batch(index), rules)
        fastest = min(fastest, (time.thread_time() - start) / 899)
    assert fastest < 1e-4


@pytest.mark.parametrize(("items", "batch_size"), [([], 1), (MIXED, 0)])
def test_a_plan_of_nothing_is_a_mistake(items: list[Item], batch_size: int) -> None:
    with pytest.raises(ValueError, match="a plan needs images"):
        BatchPlan(items, batch_size=batch_size, seed=0)
