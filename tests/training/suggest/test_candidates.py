"""The words that Suggest compares."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_ti.embedding.names import words_of
from lib_ti.errors import BadInput
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.pocket.world import COLOURS, SHAPES, WORDED_STYLES
from lib_ti.training.suggest.candidates import (
    FEWEST,
    MOST_TOKENS,
    SHIPPED,
    collect,
    read_words,
    words_of_captions,
)


def count(text: str) -> int:
    return len(tokenize(text))


def test_the_included_list_has_about_two_thousand_words_once_each() -> None:
    words = read_words(SHIPPED)
    assert 1900 <= len(words) <= 2300
    assert len({words_of(word) for word in words}) == len(words)
    assert collect(words, (), count).texts == words
    assert {*COLOURS, *SHAPES, *WORDED_STYLES, "oil painting", "watercolor"} <= set(words)


def test_few_candidates_are_compared_with_controls_of_the_included_list() -> None:
    few = collect(["striped", "my own words"], (), count)
    assert FEWEST <= len(few.controls) <= 1.2 * FEWEST
    assert not set(few.controls) & set(few.texts)
    assert not collect(read_words(SHIPPED), (), count).controls


def test_headings_and_blank_lines_are_no_words(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# Media\n\noil painting\n  fresco \n# Other\n", encoding="utf-8")
    assert read_words(path) == ("oil painting", "fresco")


@pytest.mark.parametrize("content", ["", "# Media\n\n", None])
def test_a_list_without_words_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadInput, match=r"list of words .*words\.txt"):
        read_words(path)


def test_words_of_captions_are_the_frequent_ones_without_function_words() -> None:
    captions = ["A big red circle, on the left", "the red star and a dog's 3 balls", ""]
    found = words_of_captions(captions)
    assert found[0] == "red"
    assert set(found) == {"red", "big", "circle", "left", "star", "dog", "balls"}


def test_candidates_are_those_that_prompts_can_tell_apart() -> None:
    found = collect(["Oil painting", "oil  painting", "glow"], ["glow, fog"], count)
    assert found.texts == ("Oil painting", "glow", "fog")
    assert not found.notes


def test_a_text_that_the_model_knows_only_in_pieces_is_named() -> None:
    unknown = "xqzvjkwpxqzvjkwp"
    assert count(unknown) > MOST_TOKENS
    found = collect(["glow", unknown, "fog"], (), count)
    assert found.texts == ("glow", "fog")
    assert unknown in found.notes[0] and "1 text" in found.notes[0]


def test_a_list_of_unknown_words_only_is_refused() -> None:
    with pytest.raises(BadInput, match="more than 8 tokens"):
        collect(["xqzvjkwpxqzvjkwp"], (), count)
