"""An embedding's name in prompts, and what stands for it."""

import pytest

from lib_ti.placeholders import mentions, with_name, without, without_name


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ("a house, my-style", "a house, [name]"),
        ("(My-Style:1.2), by my-style.", "([name]:1.2), by [name]."),
        ("my-style-2 and not-my-style", "my-style-2 and not-my-style"),
        ("by [name]", "by [name]"),
        ("", ""),
    ],
)
def test_only_the_name_as_a_word_of_its_own_is_replaced(prompt: str, kept: str) -> None:
    assert without_name(prompt, "my-style") == kept
    assert mentions(prompt, "my-style") == (prompt != kept)


def test_another_name_fills_in() -> None:
    assert with_name(without_name("a cat by my style", "my style"), "other") == "a cat by other"
    assert without_name("a cat", "") == "a cat"
    assert without("a house, [name], red") == "a house, red"
