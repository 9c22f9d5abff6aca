from __future__ import annotations

import random
from pathlib import Path

import pytest

from lib_ti.data.templates import available, check_template, find_template, render
from lib_ti.errors import BadInput


def written(line: str, caption: str, *, shuffle: bool = False, dropout: float = 0.0, seed: int = 0) -> str:
    return render(line, "ink", caption, shuffle_tags=shuffle, tag_dropout=dropout, rng=random.Random(seed))


@pytest.mark.parametrize("name", ["style", "style_filewords", "subject", "subject_filewords", "none"])
def test_each_shipped_template_trains_the_name(name: str) -> None:
    template = find_template(name, [])
    check_template(template)
    assert name in available([])
    assert ("filewords" in name) == all("[filewords]" in line for line in template.lines)
    assert len(set(template.lines)) == len(template.lines)


@pytest.mark.parametrize("wanted", ["mine", "mine.txt"])
def test_a_template_of_the_user_is_found_with_and_without_suffix(tmp_path: Path, wanted: str) -> None:
    (tmp_path / "mine.txt").write_text("\ufeffa [name]\n\n  two [name]  \n", encoding="utf-8")
    template = find_template(wanted, [tmp_path / "missing", tmp_path])
    assert template.name == "mine"
    assert template.lines == ("a [name]", "two [name]")
    assert "mine" in available([tmp_path / "missing", tmp_path])


def test_the_first_folder_wins_over_the_shipped_templates_and_edits_are_seen(tmp_path: Path) -> None:
    own = tmp_path / "style.txt"
    own.write_text("my [name]")
    assert find_template("style", [tmp_path]).lines == ("my [name]",)
    own.write_text("your [name]")
    assert find_template("style", [tmp_path]).lines == ("your [name]",)


def test_a_path_works_as_well_as_a_name(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("one [name]")
    assert find_template(tmp_path / "other.txt", []).lines == ("one [name]",)
    assert find_template(str(tmp_path / "other"), []).lines == ("one [name]",)


def test_a_missing_template_lists_those_that_exist(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("[name]")
    with pytest.raises(BadInput, match=r"'nosuch'.*mine.*style_filewords"):
        find_template("nosuch", [tmp_path])


def test_a_line_without_name_is_refused_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("by [name]\n\na painting of [filewords]\n")
    template = find_template("t", [tmp_path])
    with pytest.raises(BadInput, match=r"Line 3 .*'a painting of \[filewords\]'.*lacks \[name\].*train nothing"):
        check_template(template)
    with pytest.raises(BadInput):
        check_template(template, ["a [name] house", "a house"])
    check_template(template, ["a [name] house", "[name]"])


def test_an_empty_template_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("\n \n")
    with pytest.raises(BadInput, match=r"has no line.*style"):
        check_template(find_template("t", [tmp_path]))


@pytest.mark.parametrize(
    ("line", "caption", "prompt"),
    [
        ("[filewords] by [name]", "a,  b ,c", "a, b, c by ink"),
        ("[fileword] by [name]", "a", "a by ink"),
        ("[name]", "a", "ink"),
        (r"[filewords], [name]", r"back\1slash \g<0>", r"back\1slash \g<0>, ink"),
        ("[filewords]", "a [name] house", "a ink house"),
        ("a painting of [filewords], by [name]", "", "a painting of, by ink"),
        ("[filewords], [name]", "", "ink"),
    ],
)
def test_placeholders_are_filled_in(line: str, caption: str, prompt: str) -> None:
    assert written(line, caption) == prompt


def test_shuffling_keeps_all_tags_and_changes_their_order() -> None:
    orders = {written("[filewords]", "a, b, c, d", shuffle=True, seed=seed) for seed in range(50)}
    assert len(orders) > 10
    assert all(sorted(order.split(", ")) == ["a", "b", "c", "d"] for order in orders)


def test_dropout_leaves_out_tags_at_its_rate_but_never_the_name() -> None:
    caption = ", ".join(f"t{index}" for index in range(200)) + ", [name]"
    kept = written("[filewords]", caption, dropout=0.25, seed=1).split(", ")
    assert 120 < len(kept) < 180
    assert kept[-1] == "ink"
    assert kept == [*sorted(kept[:-1], key=lambda tag: int(tag[1:])), "ink"]
    assert written("[filewords] x [name]", "a, b", dropout=1.0) == "x ink"
