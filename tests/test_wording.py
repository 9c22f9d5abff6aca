"""Numbers as a person writes them."""

import pytest

from lib_ti.wording import counted, number, without_commas


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4294967295.0, "4294967295"),
        (2**32 - 1, "4294967295"),
        (-5.0, "-5"),
        (0.0, "0"),
        (0.005, "0.005"),
        (1e-05, "0.00001"),
        (1e10, "10000000000"),
        (1e300, "1e300"),
        (float("inf"), "inf"),
        (100.0, "100"),
    ],
)
def test_numbers_are_written_out(value: float, text: str) -> None:
    assert number(value) == text


def test_one_has_no_plural() -> None:
    assert [counted(count, "vector") for count in (0, 1, 2)] == ["0 vectors", "1 vector", "2 vectors"]


@pytest.mark.parametrize(
    ("text", "whole", "written"),
    [
        ("0,005", False, "0.005"),
        (" -1,5 ", False, "-1.5"),
        ("1,5e-3", False, "1.5e-3"),
        ("1,000", True, "1000"),
        ("1,000,000", True, "1000000"),
        ("1000", True, None),
        ("one, two", False, None),
    ],
)
def test_commas_in_numbers_are_understood(text: str, whole: bool, written: str | None) -> None:
    assert without_commas(text, whole=whole) == written
