from __future__ import annotations

import itertools

import pytest

from lib_ti.config import PrepareConfig
from lib_ti.errors import BadInput
from lib_ti.prep.recipe.result_names import ResultNames, name_template


def config(pattern: str, name: str = "my-style") -> PrepareConfig:
    return PrepareConfig(source="a", output="b", name=name, name_pattern=pattern)


def test_names_count_with_three_digits_and_more() -> None:
    names = ResultNames()
    pattern = name_template(config("[name]_[number]"))
    given = [names.take(pattern, "x.jpg") for _ in range(1000)]
    assert given[0] == "my-style_001.png"
    assert given[998:] == ["my-style_999.png", "my-style_1000.png"]


def test_the_stem_of_the_source_can_be_part() -> None:
    names = ResultNames()
    assert names.take("[stem] of x", "a cat.jpg") == "a cat of x.png"
    assert names.take("[stem] of x", "a cat.png") == "a cat of x_2.png"
    assert names.take("[number]-[stem]", "a cat.png") == "001-a cat.png"
    assert names.take("[number]-[stem]", "a dog.png") == "001-a dog.png"
    assert names.take("[number]-[stem]", "a cat.webp") == "002-a cat.png"


def test_used_names_are_skipped_in_any_case_and_spelling() -> None:
    names = ResultNames(["STYLE_001.JPG", "style_002.txt", "caf\N{LATIN SMALL LETTER E WITH ACUTE}.png"])
    assert names.take("style_[number]", "x.jpg") == "style_003.png"
    assert names.take("[stem]", "cafe\N{COMBINING ACUTE ACCENT}.jpg") == (
        "caf\N{LATIN SMALL LETTER E WITH ACUTE}_2.png"
    )
    assert names.take("[stem]", "A.jpg") == "A.png"
    assert names.take("[stem]", "a.jpg") == "a_2.png"


@pytest.mark.parametrize("order", list(itertools.permutations(["cat.jpg", "cat-mask.jpg", "Cat-Mask.webp"])))
def test_no_result_is_mistaken_for_the_mask_of_another(order: tuple[str, ...]) -> None:
    names = ResultNames()
    stems = [names.take("[stem]", source).removesuffix(".png").casefold() for source in order]
    assert not {f"{stem}-mask" for stem in stems} & set(stems)
    assert len(set(stems)) == 3


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("con.jpg", "image-con.png"),
        ("what?*.jpg", "what.png"),
        ("...jpg", "image.png"),
        ("a..b.jpg", "image-a.b.png"),
        ("x" * 300 + ".jpg", "x" * 80 + ".png"),
        ("日本 7.jpg", "日本 7.png"),
        ("ends with dot..jpg", "ends with dot.png"),
    ],
)
def test_stems_become_names_that_every_system_takes(source: str, name: str) -> None:
    assert ResultNames().take("[stem]", source) == name


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "a:b", "con"])
def test_names_that_no_system_takes_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match="not valid file names on every system"):
        name_template(config("[name]" if name == "con" else "[name]_[number]", name))


def test_many_names_are_all_different() -> None:
    names = ResultNames(f"a_{number:03}.png" for number in range(0, 2000, 2))
    given = [names.take("a_[number]", "x.jpg") for _ in range(2000)]
    assert len({one.casefold() for one in given}) == 2000
    assert given[0] == "a_001.png"
