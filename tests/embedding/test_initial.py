"""What the vectors of a new embedding start from."""

import pytest

from lib_ti.embedding.initial import describe, spread
from lib_ti.host.clip.tokenizer import token_spans


def test_tokens_are_spread_evenly_and_only_the_first_are_used() -> None:
    assert spread(2, 5) == [0, 0, 0, 1, 1]
    assert spread(5, 2) == [0, 1]


@pytest.mark.parametrize(
    ("text", "vectors", "parts"),
    [
        ("a red house by the sea", 2, ("6 tokens", "2 vectors", "only the first 2 tokens are used, “a red”")),
        ("oil painting", 1, ("2 tokens", "1 vector:", "only the first token is used, “oil”")),
        ("oil painting", 3, ("2 tokens", "3 vectors", "“oil” starts vectors 1 to 2", "“painting” starts vector 3")),
        ("*", 10, ("1 token and", "“*” starts vectors 1 to 10")),
    ],
)
def test_description_names_tokens_and_their_distribution(text: str, vectors: int, parts: tuple[str, ...]) -> None:
    message = describe(text, token_spans(text), vectors)
    for part in parts:
        assert part in message


def test_as_many_tokens_as_vectors_need_no_words() -> None:
    assert describe("oil painting", token_spans("oil painting"), 2) == ""
