"""Emphasis and BREAK as the WebUI reads them, and what is refused."""

from __future__ import annotations

import pytest

from lib_ti.errors import BadInput
from lib_ti.prompt_syntax import literal, parse, problems


@pytest.mark.parametrize(
    ("prompt", "sections"),
    [
        ("a red cat", [[("a red cat", 1)]]),
        ("", [[]]),
        ("an (important) word", [[("an ", 1), ("important", 1.1), (" word", 1)]]),
        ("a [quiet] word", [[("a ", 1), ("quiet", 1 / 1.1), (" word", 1)]]),
        ("(red: 1.3 ) cat", [[("red", 1.3), (" cat", 1)]]),
        ("((red) cat:0.5)", [[("red", 0.55), (" cat", 0.5)]]),
        ("(red)(blue)", [[("redblue", 1.1)]]),
        ("(red [blue", [[("red ", 1.1), ("blue", 1)]]),
        ("red) blue] 16:9, :1.3)", [[("red) blue] 16:9, :1.3)", 1)]]),
        ("\\(red\\) \\\\ \\[x\\]", [[("(red) \\ [x]", 1)]]),
        ("red BREAK blue", [[("red", 1)], [("blue", 1)]]),
        ("red,BREAK,BREAKS BREAK", [[("red,", 1)], [(",BREAKS", 1)], []]),
    ],
)
def test_emphasis_is_read_as_the_webui_reads_it(prompt: str, sections: list[list[tuple[str, float]]]) -> None:
    found = [[(text, weight) for text, weight in section if text] for section in parse(prompt)]
    assert [[text for text, _ in section] for section in found] == [[text for text, _ in one] for one in sections]
    assert [weight for section in found for _, weight in section] == pytest.approx(
        [weight for section in sections for _, weight in section]
    )


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a [cat:dog:0.5]", "'[cat:dog:0.5]', which changes the prompt during sampling"),
        ("a [dog:10]", "'[dog:10]'"),
        ("a [(big:1.2) cat::0.5]", "cat::0.5]'"),
        ("a [cat|dog]", "'[cat|dog]'"),
        ("cat AND dog", "AND, which joins"),
        ("cat, 16:9", "ends with ':9'"),
        ("cat <lora:style:0.8>", "'<lora:style:0.8>'"),
        ("a (cat:1.2.3)", "'1.2.3', which is not a number"),
        ("(red BREAK blue)", "BREAK within brackets"),
    ],
)
def test_what_cannot_be_followed_is_named(prompt: str, words: str) -> None:
    (problem,) = problems(prompt)
    assert problem.startswith("The prompt ")
    assert words in problem


@pytest.mark.parametrize(
    "prompt", ["a cat", "(a:1.3), [b]", "\\[a:b:0.5\\]", "[a: b]", "a | b", "sand and ANDES", "a < b", "BREAK"]
)
def test_everything_else_is_accepted(prompt: str) -> None:
    assert list(problems(prompt)) == []


def test_the_negative_prompt_joins_nothing() -> None:
    assert list(problems("cat AND dog, 16:9", negative=True)) == []
    (problem,) = problems("[a|b]", negative=True)
    assert problem.startswith("The negative prompt ")


@pytest.mark.parametrize("caption", ["a (red) [cat]", "one \\ two", "(x:1.3)", "\\(", "a cat, 4:3)"])
def test_a_caption_becomes_a_prompt_of_the_same_text(caption: str) -> None:
    assert parse(literal(caption)) == (((caption, 1.0),),)


def test_prompt_syntax_in_a_caption_is_plain_text() -> None:
    assert list(problems(literal("COFFEE BREAK AND <lora:x:1> [a|b]"))) == []
    with pytest.raises(BadInput):
        parse("(COFFEE BREAK)")
