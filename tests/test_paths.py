"""Paths as people paste them, and values as messages show them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib_ti.config import PrepareConfig, TrainConfig, from_mapping
from lib_ti.errors import BadInput
from lib_ti.paths import as_path, folder_problem, path_text
from lib_ti.wording import MAX_QUOTED, quoted

HOME = Path.home()


@pytest.mark.parametrize(
    ("pasted", "path"),
    [
        ('"C:\\My pictures\\x y"', "C:\\My pictures\\x y"),
        ("'/data/my pictures'", "/data/my pictures"),
        (" \n/data/pictures \n", "/data/pictures"),
        ('  "/data/pictures "  ', "/data/pictures"),
        ("“/data/pictures”", "/data/pictures"),
        ("~/images", str(HOME / "images")),
        ('"~"', str(HOME)),
        ("file:///data/my%20pictures/100%25", "/data/my pictures/100%"),
        ("file://localhost/data/a#1?", "/data/a#1?"),
        ("~nobody-has-this-name/x", "~nobody-has-this-name/x"),
        ("pictures of '68", "pictures of '68"),
        ("it's", "it's"),
        ('"', '"'),
        ("", ""),
    ],
)
def test_a_pasted_path_is_read_without_what_surrounds_it(pasted: str, path: str) -> None:
    assert path_text(pasted) == path
    assert from_mapping(TrainConfig, {"name": "a", "dataset": pasted or "x"}).dataset == (path or "x")


def test_every_path_setting_is_read_alike() -> None:
    config = from_mapping(PrepareConfig, {"source": '"a b" ', "output": "'c d'"})
    assert (config.source, config.output) == ("a b", "c d")
    assert from_mapping(TrainConfig, {"name": "a", "dataset": "x", "template": '"t.txt"'}).template == "t.txt"


@pytest.mark.parametrize("text", ["a\0b", "x" * 256, "/".join(["folder"] * 1000), "\ud800"])
def test_what_no_file_can_be_called_is_refused_in_one_short_sentence(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        as_path(text, "Source folder")
    assert str(refused.value).startswith("Source folder is '")
    assert len(str(refused.value)) < 400
    with pytest.raises(BadInput) as refused:
        from_mapping(TrainConfig, {"name": "a", "dataset": text})
    assert [one[:22] for one in refused.value.problems] == ["Dataset directory is '"]


def test_an_unreadable_folder_is_distinguished_from_a_missing_one(tmp_path: Path) -> None:
    file, loop = tmp_path / "file", tmp_path / "loop"
    file.touch()
    loop.symlink_to(loop)
    assert folder_problem(tmp_path) is None
    assert "does not exist" in str(folder_problem(tmp_path / "nothing"))
    assert "is a file" in str(folder_problem(file))
    assert "is below a file" in str(folder_problem(file / "x"))
    assert "cannot be read" in str(folder_problem(loop))
    assert "cannot be read" in str(folder_problem(tmp_path / ("x" * 300)))


def test_values_are_shown_on_one_line_and_never_whole_when_they_are_long() -> None:
    assert quoted("C:\\new folder") == "'C:\\new folder'"
    assert quoted(Path("a's")) == '"a\'s"'
    assert quoted("a\nb\0") == "'a\\nb\\x00'"
    assert quoted(os.fsdecode(b"caf\xe9.png")) == "'caf�.png'"
    assert quoted(5) == "5"
    assert len(quoted("x" * 5000)) < MAX_QUOTED + 10
