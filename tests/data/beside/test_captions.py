from __future__ import annotations

from pathlib import Path

import pytest

from lib_ti.data.beside.captions import caption_path, read_caption
from lib_ti.data.beside.companions import Beside
from lib_ti.errors import BadInput


@pytest.mark.parametrize(
    ("content", "caption"),
    [
        (b"a red house", "a red house"),
        (b"\xef\xbb\xbfa red house\r\n", "a red house"),
        ("ein grünes Haus, 家".encode(), "ein grünes Haus, 家"),
        (b"1girl\nsolo\r\n\r\n  red   hair  \n", "1girl, solo, red hair"),
        (b"red hair,\nblue eyes", "red hair, blue eyes"),
        (b"A house stands alone.\nIt is red.", "A house stands alone. It is red."),
        (b"", ""),
        (b"\n \n", ""),
    ],
)
def test_text_file_is_the_caption(tmp_path: Path, content: bytes, caption: str) -> None:
    (tmp_path / "12 a name.txt").write_bytes(content)
    found = read_caption(tmp_path / "12 a name.png")
    assert (found.text, found.source, found.remark) == (caption, "file", "")


@pytest.mark.parametrize(
    ("encoding", "remark"),
    [("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16"), ("utf-16-be", "utf-16")],
)
def test_other_encodings_are_read_and_reported(tmp_path: Path, encoding: str, remark: str) -> None:
    (tmp_path / "a.txt").write_bytes("ein grünes Haus".encode(encoding))
    found = read_caption(tmp_path / "a.png")
    assert found.text == "ein grünes Haus"
    assert remark in found.remark
    assert "a.txt" in found.remark


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("00012-0-a red house.png", "a red house"),
        ("a red house (2).png", "a red house (2)"),
        ("12 red houses.jpg", "red houses"),
        ("red-house.png", "red-house"),
        ("0001.png", ""),
        ("a.b.png", "a.b"),
    ],
)
def test_file_name_is_the_caption_without_a_text_file(tmp_path: Path, name: str, caption: str) -> None:
    found = read_caption(tmp_path / name)
    assert (found.text, found.source) == (caption, "name")


@pytest.mark.parametrize(
    ("regex", "join", "caption"),
    [(r"[a-z]+", " ", "red house old"), (r"[a-z]+", ", ", "red, house, old"), (r"([a-z])([a-z]+)", "", "redhouseold")],
)
def test_word_regex_picks_words_of_the_file_name(tmp_path: Path, regex: str, join: str, caption: str) -> None:
    assert read_caption(tmp_path / "3-red_house_1_old.png", word_regex=regex, join=join).text == caption


def test_a_broken_word_regex_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"'\[a-'.*correct it or leave it empty"):
        read_caption(tmp_path / "a.png", word_regex="[a-")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("IMG_0.caption", "a red barn"),
        ("IMG_0.TXT", "a red barn"),
        ("IMG_0.png.txt", "a red barn"),
        ("IMG_0.png.Caption", "a red barn"),
        ("IMG_0.json", '{"caption": "a red barn", "tags": []}'),
        ("IMG_0.png.json", '{"text": "a red barn"}'),
        ("metadata.jsonl", '{"file_name": "x.png", "text": "no"}\n{"file_name": "IMG_0.png", "text": "a red barn"}\n'),
        ("metadata.csv", 'file_name,caption\nIMG_0.png,"a red barn"\n'),
    ],
)
def test_captions_of_other_programs_are_read(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    found = read_caption(tmp_path / "IMG_0.png")
    assert (found.text, found.source, found.remark) == ("a red barn", "file", "")


def test_captions_that_differ_are_named_and_the_first_is_used(tmp_path: Path) -> None:
    for name, text in (("a.txt", "one"), ("a.caption", "two"), ("a.json", '{"caption": "one"}')):
        (tmp_path / name).write_text(text)
    found = read_caption(tmp_path / "a.png")
    assert found.text == "one"
    assert found.remark == "its captions in .txt and .caption differ, and .txt is used"


def test_captions_that_agree_are_not_worth_a_remark(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "a.caption").write_text("one\n")
    assert read_caption(tmp_path / "a.png").remark == ""


@pytest.mark.parametrize("content", ['{"category": "downloaded"}', "no JSON", "[1]"])
def test_json_without_a_caption_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    found = read_caption(tmp_path / "a.png")
    assert (found.text, found.source) == ("a", "name")
    assert found.remark == "the .json file beside it has no text or caption and is not used"


@pytest.mark.parametrize(
    ("content", "problem"),
    [('{"file_name": "a.png", "label": 3}\n', "it needs file_name and text or caption"), ("{", "cannot be read")],
)
def test_metadata_without_captions_is_named(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "metadata.jsonl").write_text(content)
    [table] = Beside(tmp_path).metadata
    assert problem in table.problem
    assert str(tmp_path / "metadata.jsonl") in table.problem


@pytest.mark.parametrize(
    ("there", "written"),
    [
        ("a.TXT", "a.TXT"),
        ("a.caption", "a.caption"),
        ("a.png.txt", "a.png.txt"),
        ("a.json", "a.txt"),
        ("b.txt", "a.txt"),
    ],
)
def test_an_edited_caption_is_written_where_it_has_precedence(tmp_path: Path, there: str, written: str) -> None:
    (tmp_path / there).write_text('{"caption": "before"}')
    path = caption_path(tmp_path / "a.png")
    assert path == tmp_path / written
    path.write_text("after")
    assert read_caption(tmp_path / "a.png").text == "after"
