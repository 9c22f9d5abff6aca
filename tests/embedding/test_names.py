"""Which names an embedding may have, and what is reported about the others."""

import itertools

import pytest

from lib_ti.embedding.names import check_name, check_not_ordinary, sanitise, words_of
from lib_ti.errors import BadInput
from lib_ti.host.clip.tokenizer import token_spans, tokenize


@pytest.mark.parametrize("name", ["riso-print", "my style", "v1.5_b", "日本語", "été", "con-artist", "x" * 120])
def test_usable_names_stay_as_they_are(name):
    assert check_name(name) == name
    assert sanitise(name) == name


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("a/b", "ab"),
        ("..\\up", "up"),
        ("my..style", "my.style"),
        ("<riso>", "riso"),
        ("my (style), v2", "my style v2"),
        ("style\n", "style"),
        ("zero\u200bwidth", "zerowidth"),
        ("style ", "style"),
        (" style", "style"),
        ("style.", "style"),
        (".hidden", "hidden"),
        ("cafe\u0301", "café"),
        ("style.preview", "style"),
        ("CON", "my-CON"),
        ("nul.v2", "my-nul.v2"),
        ("com1", "my-com1"),
        ("x" * 300, "x" * 120),
        ("x.safetensors", "x"),
        ("my-style.PT", "my-style"),
        ("a.png.safetensors", "a"),
        ("123", "my-123"),
        ("1-2_3", "my-1-2_3"),
    ],
)
def test_other_names_are_refused_with_the_nearest_usable_one(typed, suggested):
    with pytest.raises(BadInput) as caught:
        check_name(typed)
    assert f"Use {suggested!r}." in str(caught.value)
    assert check_name(suggested) == suggested


@pytest.mark.parametrize("name", ["", "   ", "???", "...", "/", ". .", "\t", "\x00"])
def test_names_with_nothing_usable_in_them_are_refused(name):
    with pytest.raises(BadInput, match="such as my-style"):
        check_name(name)


@pytest.mark.parametrize("typed", ["a/b", "im:age*<new>?", "a.b_c-d e", "ünï©ode", "✨"])
def test_sanitise_keeps_letters_digits_and_four_signs(typed):
    assert sanitise(typed) == "".join(c for c in typed if c.isalnum() or c in "._- ")


def test_a_word_that_the_model_knows_is_refused_with_a_way_out():
    for name in ("cat", "Cat", "CAT"):
        with pytest.raises(BadInput, match=f"{name}-style"):
            check_not_ordinary(name, len(token_spans(name)))
    for name in ("cat-style", "zq"):
        assert check_not_ordinary(name, len(token_spans(name))) == name


ALIKE = (
    *("my style", "My  STYLE", "my style ", "my-style", "my - style", "my -style", "mystyle"),
    *("style2", "style 2", "style22", "style 2 2", "v1.5", "v 1 . 5", "v1,5", "x²", "x 2"),
    *("été", "e\u0301te\u0301", "ete", "日本", "日 本", "a_b", "a__b", "a _b"),
)


def test_names_have_the_same_words_where_prompts_have_the_same_tokens():
    for one, other in itertools.combinations(ALIKE, 2):
        assert (words_of(one) == words_of(other)) == (tokenize(one) == tokenize(other)), (one, other)
