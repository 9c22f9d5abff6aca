"""What is concluded from checks, on the recorded checks of two real runs and on cases in which chance decides.

The recordings are of the pocket model: ``overtraining.csv`` of 500 steps on four images without captions,
``healthy.csv`` of 150 steps on sixteen with captions; both are measured on eight other images.
"""

from __future__ import annotations

import random
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from lib_ti.training.files.tables import Table
from lib_ti.training.validation.history import COLUMNS, Check, new_check, read_history, row, segments
from lib_ti.training.validation.verdict import due_progress, judge

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> tuple[Check, ...]:
    return read_history(RECORDED / f"{name}.csv")


def checks(losses: list[float], *, noise: float = 0.03, seed: int = 0, first_step: int = 0) -> list[Check]:
    """Checks with these mean losses, whose samples differ among each other and, by chance, between the checks."""
    rng = random.Random(seed)
    shape = [rng.uniform(0.2, 1.8) for _ in range(16)]
    found = []
    for number, loss in enumerate(losses):
        samples = [loss * share * (1 + rng.gauss(0, noise)) for share in shape]
        factor = loss / statistics.fmean(samples)
        samples = [sample * factor for sample in samples]
        found.append(new_check(first_step + 50 * number, samples, norm=1.0, data="now", unseen=True))
    return found


def test_a_run_that_overtrains_is_told_in_time_and_names_the_step_to_use() -> None:
    history = recorded("overtraining")
    verdict = judge(history)
    assert verdict is not None
    assert verdict.gained
    assert verdict.best_step == min(history, key=lambda check: check.loss).step
    assert "may be overtraining" in verdict.overtraining
    assert f"(step {verdict.best_step})" in verdict.overtraining
    earlier = [judge(history[:end]) for end in range(1, len(history) - 5)]
    assert not any(verdict and verdict.overtraining for verdict in earlier), "it is told before the loss has risen"


def test_a_healthy_run_is_never_called_overtraining() -> None:
    history = recorded("healthy")
    for end in range(1, len(history) + 1):
        verdict = judge(history[:end])
        assert verdict is not None
        assert not verdict.overtraining
    assert verdict.gained
    assert verdict.no_gain == ""


def test_a_difference_of_chance_is_not_called_overtraining() -> None:
    """Five checks in a row above the best by 1 %, on few images."""
    losses = [0.0290, 0.0240, 0.0210, 0.0201, 0.0203, 0.0203, 0.0202, 0.0203, 0.0203, 0.0202, 0.0203]
    verdict = judge(checks(losses))
    assert verdict is not None
    assert (verdict.best_step, verdict.overtraining) == (150, "")
    later = judge(checks([*losses, 0.0195]))
    assert later is not None
    assert later.best_step == 50 * len(losses)


def test_a_loss_that_wanders_while_few_checks_are_made_is_not_called_overtraining() -> None:
    losses = [0.0367, 0.0282, 0.0298, 0.0311, 0.0304, 0.0275, 0.0281, 0.0281, 0.0281]
    for end in range(1, len(losses) + 1):
        verdict = judge(checks(losses[:end]))
        assert verdict is not None
        assert not verdict.overtraining


def test_the_same_rise_counts_only_where_the_images_are_unseen() -> None:
    history = recorded("overtraining")
    verdict = judge([replace(check, unseen=False) for check in history])
    assert verdict is not None
    assert verdict.overtraining == ""


def test_the_best_step_is_the_lowest_loss_without_any_margin() -> None:
    verdict = judge(checks([0.02000, 0.01999, 0.02100]))
    assert verdict is not None
    assert verdict.best_step == 50
    equal = judge(checks([0.02, 0.02]))
    assert equal is not None
    assert equal.best_step == 0


def test_undefined_losses_are_never_best() -> None:
    history = [
        replace(check, loss=float("nan")) if number != 1 else check for number, check in enumerate(checks([1, 2, 3]))
    ]
    verdict = judge(history)
    assert verdict is not None
    assert verdict.best_step == 50
    assert judge([replace(history[0], loss=float("inf"))]) is None
    assert judge([]) is None


@pytest.mark.parametrize(
    ("losses", "advice"),
    [
        ([0.0290, 0.0288, 0.0291, 0.0289], "raise the Embedding learning rate"),
        ([0.0290, 0.0400, 0.9000, 1.2000], "Lower the Embedding learning rate"),
    ],
)
def test_nothing_gained_is_said_with_what_to_do(losses: list[float], advice: str) -> None:
    verdict = judge(checks(losses))
    assert verdict is not None
    assert verdict.gained is False
    assert verdict.no_gain.startswith("Nothing was gained: the validation loss was 0.0290 at step 0")
    assert advice in verdict.no_gain


def test_one_check_says_nothing_about_a_gain() -> None:
    verdict = judge(checks([0.02]))
    assert verdict is not None
    assert (verdict.gained, verdict.no_gain) == (None, "")


def test_checks_on_other_data_are_not_compared() -> None:
    before = [replace(check, data="before") for check in checks([0.01, 0.005])]
    after = checks([0.03, 0.02], first_step=100)
    verdict = judge([*before, *after])
    assert verdict is not None
    assert (verdict.first_step, verdict.best_step, verdict.best_loss) == (100, 150, 0.02)
    assert [len(part) for part in segments([*before, *after])] == [2, 2]


def test_a_verdict_from_the_file_is_the_one_from_memory(tmp_path: Path) -> None:
    history = checks([0.03, 0.0200000004, 0.0200000001, 0.025, 0.0251, 0.0252, 0.0253, 0.0254, 0.0255])
    table = Table(tmp_path / "evaluation.csv", COLUMNS, last_step=0)
    for end, check in enumerate(history, 1):
        verdict = judge(history[:end])
        table.add(*row(check, verdict.best_step if verdict else None))
    table.flush()
    assert list(read_history(tmp_path / "evaluation.csv")) == history
    assert judge(read_history(tmp_path / "evaluation.csv")) == judge(history)


def test_a_file_of_an_earlier_version_is_read_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.csv"
    path.write_text("step,loss,norm\n0,0.0203000,2.2\n50,0.0201000,2.3\n100,0.0150000,2.3\n150,0.0")
    verdict = judge(read_history(path))
    assert verdict is not None
    assert (verdict.best_step, verdict.gained, verdict.overtraining) == (100, True, "")
    Table(path, COLUMNS, last_step=50)
    assert [(check.step, check.loss) for check in read_history(path)] == [(0, 0.0203), (50, 0.0201)]


def test_the_states_follow_each_other_with_their_reasons() -> None:
    losses = [0.0290, 0.0289, 0.0291, 0.0270, 0.0230, 0.0205, 0.0202, 0.0201, 0.0202, 0.0201, 0.0202]
    history = [replace(check, no_keyword=0.0300) for check in checks(losses)]
    verdicts = [judge(history[:end]) for end in range(1, len(history) + 1)]
    states = [verdict.state for verdict in verdicts if verdict]
    assert states[:3] == ["unknown", "not begun", "not begun"]
    assert states[4:6] == ["learning", "learning"]
    assert states[-1] == "done"
    assert states == sorted(states, key=["unknown", "not begun", "learning", "done"].index)
    not_begun, learning, done = verdicts[2], verdicts[5], verdicts[-1]
    assert not_begun is not None
    assert not_begun.headline == "Has not begun to learn"
    assert not_begun.reason.startswith("The loss on the validation images was 0.0290 at step 0 and 0.0291 at step 100")
    assert learning is not None
    assert learning.headline == "Learning: 32% less error than without the keyword. Best step: 250"
    assert "and was still falling" in learning.reason
    assert done is not None
    assert done.done_step in (250, 300)
    assert done.headline == f"Done since step {done.done_step}. Best step: 350"
    assert done.reason.endswith(
        "At step 350, the model's error on the validation images with the keyword is 33% lower than without it; at "
        "step 0 it was 3% lower than without it."
    )


def test_a_run_that_loses_again_what_it_learned_is_told_with_both_losses() -> None:
    verdict = judge(checks([0.029, 0.022, 0.021, 0.0240, 0.0250, 0.0260, 0.0265, 0.0270]))
    assert verdict is not None
    assert verdict.state != "not begun"
    assert verdict.best_step == 100
    assert verdict.headline.endswith("Probably overtrained since step 100")
    later = judge(checks([0.029, 0.026, 0.021, 0.029]))
    assert later is not None
    assert later.state == "learning"
    assert later.reason.startswith("The loss on the validation images fell from 0.0290 at step 0 to 0.0210 at step 100")
    assert "at step 100, and was 0.0290 at step 150." in later.reason


def test_a_run_is_over_when_two_checks_in_a_row_find_it_done() -> None:
    history = checks([0.029, 0.0215, 0.0205, 0.0202, 0.0201, 0.0200])
    states = [due_progress(history[:end]).state for end in range(1, len(history) + 1)]
    first = states.index("done") + 1
    assert not due_progress(history[:first]).confirmed
    assert due_progress(history[: first + 1]).confirmed
    probable, sure = judge(history[:first]), judge(history[: first + 1])
    assert probable is not None and probable.headline.startswith("Probably done since step ")
    assert sure is not None and sure.headline.startswith("Done since step ")


def test_what_few_samples_show_is_a_beginning() -> None:
    """Eight samples, of which those of the smallest timesteps do not depend on the embedding."""
    first = [0.12, 0.08, 0.04, 0.02, 0.010, 0.008, 0.006, 0.004]
    shares = [1.0, 1.0, 0.95, 0.9, 0.6, 0.5, 0.5, 0.7]
    later = [loss * share for loss, share in zip(first, shares, strict=True)]
    history = [new_check(step, samples, norm=1.0, data="", unseen=True) for step, samples in ((0, first), (20, later))]
    verdict = judge(history)
    assert verdict is not None
    assert (verdict.state, verdict.gained, verdict.no_gain) == ("learning", True, "")


def test_a_check_that_was_not_due_does_not_decide_about_the_state() -> None:
    history = checks([0.029, 0.024, 0.0205, 0.0202, 0.0201, 0.0202, 0.0201])
    between = replace(history[3], step=160, due=False)
    with_it, without_it = judge([*history[:4], between, *history[4:]]), judge(history)
    assert with_it is not None
    assert without_it is not None
    assert (with_it.state, with_it.done_step) == (without_it.state, without_it.done_step)
    assert due_progress([*history[:4], between]).state == due_progress(history[:4]).state


def test_what_a_run_reached_counts_at_its_end() -> None:
    *history, last = checks([0.029, 0.0289, 0.0291, 0.0250])
    verdict = judge([*history, replace(last, due=False)])
    assert verdict is not None
    assert verdict.state == "learning"
    assert due_progress([*history, replace(last, due=False)]).state == "not begun"


def test_a_second_phase_of_learning_is_learning_again() -> None:
    plateau = checks([0.029, 0.024, 0.0221, 0.0220, 0.0220, 0.0221, 0.0220])
    assert (verdict := judge(plateau)) is not None
    assert verdict.state == "done"
    again = judge([*plateau, *checks([0.0210, 0.0190, 0.0180], first_step=350)])
    assert again is not None
    assert again.state == "learning"


def test_new_data_is_not_said_to_be_unlearned() -> None:
    before = [replace(check, data="before") for check in checks([0.03, 0.02])]
    verdict = judge([*before, *checks([0.02, 0.02, 0.02], first_step=100)])
    assert verdict is not None
    assert verdict.headline == "Nothing learned since step 100"
