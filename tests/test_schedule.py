"""Learning rates as tutorials write them."""

import pytest

from lib_ti.schedule import LearningRateSchedule, absolute_learning_rates, check_reaches, parse_learning_rates


def test_the_webuis_syntax() -> None:
    assert parse_learning_rates("0.005") == ((0.005, None),)
    assert parse_learning_rates("0.005:100, 1e-3:1000, 1e-5") == ((0.005, 100), (1e-3, 1000), (1e-5, None))
    assert parse_learning_rates("0.005:100, 1e-3:-1") == ((0.005, 100), (1e-3, None))


def test_rates_relative_to_words() -> None:
    assert parse_learning_rates("0.74x", word_rms=0.0144338) == ((0.0107, None),)
    assert parse_learning_rates("1X:100, 0.001", word_rms=0.02) == ((0.02, 100), (0.001, None))
    assert absolute_learning_rates("0.74x:100, 1e-3", 0.0144338) == "0.0107:100, 0.001"
    assert absolute_learning_rates("1e-3:10, 5e-4", 0.0144338) == "1e-3:10, 5e-4"


def test_each_rate_holds_until_its_step() -> None:
    schedule = LearningRateSchedule(parse_learning_rates("0.5:100, 0.1:1000, 0.01"), max_steps=5000)
    rates = {step: schedule.learning_rate(step) for step in (1, 100, 101, 1000, 1001, 5000)}
    assert rates == {1: 0.5, 100: 0.5, 101: 0.1, 1000: 0.1, 1001: 0.01, 5000: 0.01}


def test_warm_up_rises_evenly_from_the_first_step_of_the_run() -> None:
    schedule = LearningRateSchedule(((1.0, None),), first_step=11, max_steps=100, warmup_steps=4)
    assert [schedule.learning_rate(step) for step in (11, 12, 13, 14, 15)] == [
        0.25,
        0.5,
        0.75,
        1,
        1,
    ]


def test_cosine_ends_at_a_twentieth() -> None:
    schedule = LearningRateSchedule(((1.0, None),), max_steps=101, cosine=True)
    assert schedule.learning_rate(1) == 1.0
    assert schedule.learning_rate(51) == pytest.approx(0.525)
    assert schedule.learning_rate(101) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("abc", "'abc' is not a number"),
        ("x", "'x' is not a number"),
        ("0x", "above 0"),
        ("0.74xx", "'0.74xx' is not a number"),
        ("0", "above 0"),
        ("-0.1", "above 0"),
        ("nan", "above 0"),
        ("0.1:x, 0.2", "whole step number"),
        ("0.1:100, 0.2:50", "does not come after 100"),
        ("0.1, 0.2", "would never begin"),
    ],
)
def test_bad_schedules_get_one_clear_sentence(text: str, word: str) -> None:
    with pytest.raises(ValueError, match="Embedding learning rate") as raised:
        parse_learning_rates(text)
    assert word in str(raised.value)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0,005", "0.005"),
        ("0,005:100, 0,001:1000, 1e-5", "0.005:100, 0.001:1000, 1e-5"),
        ("0,5e-2", "0.5e-2"),
    ],
)
def test_a_decimal_comma_is_recognised(text: str, written: str) -> None:
    with pytest.raises(ValueError, match="decimal comma") as raised:
        parse_learning_rates(text)
    assert str(raised.value).endswith(f"Write {written}.")


@pytest.mark.parametrize("text", ["0.005: 100,1e-3:1000,1e-5", "5e-3:10,1:20", "0.15:5,0.2"])
def test_lists_without_spaces_have_no_decimal_comma(text: str) -> None:
    assert parse_learning_rates(text)


def test_a_schedule_that_ends_early_is_reported() -> None:
    assert check_reaches(parse_learning_rates("0.1:100"), 100) is None
    assert "step 100" in str(check_reaches(parse_learning_rates("0.1:100"), 500))
