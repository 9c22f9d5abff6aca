"""Prompts as tokens and contexts: the WebUI's rules, with token numbers known from CLIP."""

from __future__ import annotations

import pytest

from lib_ti.errors import BadInput
from lib_ti.families.clip import END, START
from lib_ti.host.clip.chunks import Chunk, Word, count_tokens, find_words, lay_out
from lib_ti.host.clip.tokenizer import tokenize, vocabulary
from lib_ti.prompt_syntax import parse

CAT = 2368  # "cat</w>" in CLIP's vocabulary
COMMA = 267


def word(name: str, count: int) -> Word:
    return Word(tokenize(name), count, name)


def filled(chunk: Chunk) -> int:
    """Places taken between start and the end tokens, vectors included (their placeholder is the end token)."""
    vectors = {place for place, _ in chunk.splices}
    return max((i for i, token in enumerate(chunk.ids) if token != END or i in vectors), default=0)


def test_tokens_are_those_of_clip() -> None:
    assert tokenize("a photo of a cat") == (320, 1125, 539, 320, CAT)
    assert tokenize("A  Photo\nOF a\tCAT") == tokenize("a photo of a cat")
    assert tokenize("*") == (265,)
    assert tokenize("") == tokenize("  ") == ()


def test_typographic_signs_mean_what_ordinary_ones_do() -> None:
    assert tokenize("don’t “quote”") == tokenize('don\'t "quote"')
    assert tokenize("ＡＢＣ，ﬁn") == tokenize("abc,fin")


def test_vocabulary_is_whole() -> None:
    assert len(vocabulary()) == 49408
    assert vocabulary()["cat</w>"] == CAT
    assert (vocabulary()["<|startoftext|>"], vocabulary()["<|endoftext|>"]) == (START, END)


def test_empty_prompt_is_one_empty_context() -> None:
    (chunk,) = lay_out("", ())
    assert chunk.ids == (START, *[END] * 76)


@pytest.mark.parametrize(("tokens", "contexts"), [(1, 1), (74, 1), (75, 1), (76, 2), (150, 2), (151, 3)])
def test_contexts_take_75_tokens(tokens: int, contexts: int) -> None:
    chunks = lay_out("cat " * tokens, ())
    assert len(chunks) == contexts
    assert all(len(chunk.ids) == 77 and chunk.ids[0] == START and chunk.ids[-1] == END for chunk in chunks)
    assert sum(chunk.ids.count(CAT) for chunk in chunks) == tokens == count_tokens("cat " * tokens, ())


def test_full_context_is_cut_after_a_near_comma() -> None:
    near, far = "cat " * 59 + ", " + "cat " * 20, "cat " * 50 + ", " + "cat " * 30
    first, second = lay_out(near, ())
    assert (first.ids.count(CAT), second.ids.count(CAT)) == (59, 20)
    assert first.ids[60] == COMMA
    first, second = lay_out(far, ())
    assert (first.ids.count(CAT), second.ids.count(CAT)) == (74, 6)


def test_comma_is_near_within_20_tokens() -> None:
    for after, moved in ((19, True), (20, False)):
        prompt = "cat " * (74 - after) + ", " + "cat " * (after + 1)
        _, second = lay_out(prompt, ())
        assert second.ids.count(CAT) == (after + 1 if moved else 1)


def test_embedding_is_never_divided() -> None:
    style = word("my-style", 4)
    first, second = lay_out("cat " * 72 + "my-style dog", (style,))
    assert (filled(first), first.splices) == (72, ())
    assert second.splices == ((1, 0),)
    (only,) = lay_out("cat " * 71 + "my-style", (style,))
    assert only.splices == ((72, 0),)


def test_embedding_after_a_comma_moves_with_its_tag() -> None:
    style = word("my-style", 4)
    first, second = lay_out("cat " * 69 + ", my-style dog cat", (style,))
    assert first.splices == ()
    assert second.splices == ((1, 0),)


def test_names_match_without_case_and_longest_first() -> None:
    words = (word("blue", 1), word("Blue Moon", 2), word("absent", 3))
    assert find_words("the BLUE moon over a blue sea", words) == (1, 0)
    assert count_tokens("the BLUE moon over a blue sea", words) == 1 + 2 + 2 + 1 + 1
    assert find_words("bluebird", words) == ()


def test_embedding_larger_than_a_context_is_refused() -> None:
    assert len(lay_out("my-style", (word("my-style", 75),))) == 1
    with pytest.raises(BadInput, match=r"'my-style' has 76 vectors.*at most 75"):
        lay_out("my-style", (word("my-style", 76),))


def test_break_begins_a_new_context() -> None:
    first, second = lay_out(parse("cat BREAK cat cat"), ())
    assert (first.ids.count(CAT), second.ids.count(CAT)) == (1, 2)
    assert len(lay_out(parse("cat BREAK"), ())) == 1
    assert [chunk.ids.count(CAT) for chunk in lay_out(parse("BREAK cat BREAK BREAK cat"), ())] == [0, 1, 0, 1]
    long = lay_out(parse("cat " * 80 + "BREAK cat"), ())
    assert [chunk.ids.count(CAT) for chunk in long] == [75, 5, 1]


def test_weights_stand_where_their_tokens_and_vectors_do() -> None:
    words = (word("my-style", 2),)
    (chunk,) = lay_out(parse("a (my-style:1.3), [cat]"), words)
    assert chunk.weights == pytest.approx((1, 1, 1.3, 1.3, 1, 1 / 1.1, *[1] * 71))
    assert chunk.splices == ((2, 0),)
    assert find_words(parse("a (my-style)"), words) == (0,)
    (plain,) = lay_out(parse("a cat"), ())
    assert plain == lay_out("a cat", ())[0]
