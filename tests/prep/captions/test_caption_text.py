"""One caption: its text, its tags, what is looked for in it, and how long it is."""

from __future__ import annotations

import pytest

from lib_ti.errors import BadInput
from lib_ti.host.clip.tokenizer import token_spans
from lib_ti.prep.captions import tags
from lib_ti.prep.captions.caption_text import enclose, join, tidy, without_words
from lib_ti.prep.captions.search import Search
from lib_ti.prep.captions.token_budget import CaptionLength, measure_length


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a cat ,  , red\n", "a cat, red"),
        (", ,", ""),
        ("a  red , cat .", "a red, cat."),
        ("1girl, :), long_hair", "1girl,:), long_hair"),
    ],
)
def test_deletions_are_tidied(text: str, clean: str) -> None:
    assert tidy(text) == clean


def test_captions_are_joined_with_commas_and_prefixes_as_they_are() -> None:
    assert join("a red cat", "", " sitting ") == "a red cat, sitting"
    assert join("It is red.", "It sits.") == "It is red. It sits."
    assert enclose("a cat", "photo of", ", side light") == "photo of a cat, side light"
    assert enclose("a cat", "portrait,", "on a table") == "portrait, a cat on a table"
    assert enclose("", "portrait,", ", side light") == "portrait,, side light"
    assert enclose("", "", ", side light") == "side light"


@pytest.mark.parametrize(
    ("text", "unwanted", "left"),
    [
        ("arafed woman in a red dress", ["arafed"], "woman in a red dress"),
        ("a woman, Arafed, blurry", ["arafed", "blurry"], "a woman"),
        ("araffe and arafed", ["araf"], "araffe and arafed"),
        ("long_hair, long hair, hair", ["long hair"], "hair"),
        ("a photo of a cat", ["a photo", "a photo of"], "a cat"),
        ("a (very) good cat", ["(very)"], "a good cat"),
        ("a cat", [], "a cat"),
    ],
)
def test_words_are_excluded(text: str, unwanted: list[str], left: str) -> None:
    assert without_words(text, unwanted) == left


def test_tags_are_added_removed_and_moved() -> None:
    assert tags.add("cat, red", "Red, big, big") == "cat, red, big"
    assert tags.add("cat", "small, big", "front") == "small, big, cat"
    assert tags.add("", "cat") == "cat"
    assert tags.remove("cat, Red,  big", "red, small") == "cat, big"
    assert tags.move("cat, big, Red", "red, big", "front") == "Red, big, cat"
    assert tags.move("cat, big, Red", "cat, tiny", "back") == "big, Red, cat"


def test_tags_are_put_in_order() -> None:
    assert tags.deduplicate("cat, red, Cat, red") == "cat, red"
    assert tags.sort("red, Big, cat") == "Big, cat, red"
    assert tags.sort("red, Big, cat", {"big": 1, "Cat": 3, "red": 1}) == "cat, Big, red"


def test_tags_are_counted_once_a_caption_and_spelled_as_they_mostly_are() -> None:
    counts = tags.frequency(["Cat, red, cat", "cat", "cat, Red", "red", ""])
    assert list(counts.items()) == [("cat", 3), ("red", 3)]


@pytest.mark.parametrize(
    ("search", "by", "text", "new"),
    [
        (Search("cat"), "dog", "Cat, catfish", "dog, dogfish"),
        (Search("cat", whole_words=True), "dog", "cat, catfish", "dog, catfish"),
        (Search("cat", match_case=True), "dog", "Cat, cat", "Cat, dog"),
        (Search("a.c"), r"\1", "a.c abc", r"\1 abc"),
        (Search(r"(\w+) cat", regex=True), r"cat, \1", "red cat", "cat, red"),
        (Search(r"a|b", regex=True, whole_words=True), "x", "a ab b", "x ab x"),
    ],
)
def test_what_is_found_is_replaced(search: Search, by: str, text: str, new: str) -> None:
    assert search.replacer(by)(text) == new


@pytest.mark.parametrize(
    ("search", "by", "words"),
    [
        (Search(""), "", "is empty"),
        (Search("(cat", regex=True), "", r"'(cat' is not a regular expression (missing ), unterminated subpattern"),
        (Search("cat", regex=True), r"\2", r"'\2' does not fit the search 'cat' (invalid group reference 2"),
        (Search("cat", regex=True), r"\g<name>", "unknown group name"),
        (Search("cat", regex=True), "\\", r"'\' does not fit"),
    ],
)
def test_an_invalid_expression_is_reported_in_one_sentence(search: Search, by: str, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        search.replacer(by)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_beyond_75_tokens_is_marked() -> None:
    fits = " ".join(["cat"] * 75)
    assert measure_length(fits, token_spans) == CaptionLength(75, fits, "")
    assert measure_length(fits + ", “dog”", token_spans) == CaptionLength(79, fits, ", “dog”")
    assert measure_length("a big cat", token_spans, remaining=2) == CaptionLength(3, "a big", " cat")
    assert measure_length("a big cat", token_spans, remaining=0) == CaptionLength(3, "", "a big cat")
    assert measure_length("", token_spans) == CaptionLength(0, "", "")


@pytest.mark.parametrize("text", ["ﬃne “House”,  it's  ½ 1990!", "ｆｕｌｌ　ｗｉｄｔｈ 🐈🐈", "é ä \n\t x"])
def test_the_two_parts_are_the_text_wherever_it_is_cut(text: str) -> None:
    for room in range(len(token_spans(text)) + 1):
        found = measure_length(text, token_spans, room)
        assert found.within + found.beyond == text
