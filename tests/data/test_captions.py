from __future__ import annotations

from pathlib import Path

import pytest

from lib_ti.data.captions import read_caption
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
    ("encoding", "said"),
    [("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16"), ("utf-16-be", "utf-16")],
)
def test_other_encodings_are_read_and_said(tmp_path: Path, encoding: str, said: str) -> None:
    (tmp_path / "a.txt").write_bytes("ein grünes Haus".encode(encoding))
    found = read_caption(tmp_path / "a.png")
    assert found.text == "ein grünes Haus"
    assert said in found.remark
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
